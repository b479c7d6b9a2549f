"""/api/prices/analytics: movers, price level, volatility and coverage."""

from shared.edge import Cached, Request, endpoint
from shared.prices.analytics_schemas import AnalyticsView

prices_analytics = endpoint(__name__, "/api/prices/analytics", concurrency=80)


@prices_analytics.get(role="admin", cached=Cached("prices", ttl_seconds=120))
def read(request: Request) -> AnalyticsView:  # noqa: ARG001 - a handler takes the request
    """The dashboard's figures, as they were a few seconds after the last change of a price."""
    from shared.prices import analytics

    return analytics.read()
