"""/api/products/rematches/<rematch_id>: how far a full re-match is."""

from shared.edge import Request, endpoint
from shared.products.duplicate_schemas import RematchView

rematch = endpoint(__name__, "/api/products/rematches/{rematch_id}")


@rematch.get(role="admin")
def read(request: Request) -> RematchView:
    """The run's state and progress; raises NotFound (404)."""
    from shared.products import rematching

    return rematching.describe(request.path["rematch_id"])
