"""/api/prices/history/<product_id>: what one product has cost."""

from shared.edge import Cached, Request, endpoint
from shared.prices.schemas import HistoryQuery, HistoryView

prices_history = endpoint(__name__, "/api/prices/history/{product_id}")


@prices_history.get(role="admin", cached=Cached("prices", ttl_seconds=120))
def read(request: Request[None, HistoryQuery]) -> HistoryView:
    """The prices of a range of time with their statistics; raises NotFound (404)."""
    from shared.prices.history import history

    return history(request.path["product_id"], request.query)
