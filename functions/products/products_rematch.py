"""/api/products/rematch: match the whole catalogue anew."""

from shared.edge import Request, endpoint
from shared.products.duplicate_schemas import RematchRequest, RematchView

products_rematch = endpoint(__name__, "/api/products/rematch")


@products_rematch.post(
    role="admin", limit="heavy", audit="products.rematched", answers={202: RematchView}
)
def begin(request: Request[RematchRequest]) -> RematchView:
    """The run that was begun, or the one that is under way; followed at its own path."""
    from shared.products import rematching

    return rematching.begin(request.actor)
