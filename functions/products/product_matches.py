"""/api/products/<product_id>/matches: the same product at other retailers."""

from shared.edge import Request, endpoint
from shared.products.schemas import MatchList

product_matches = endpoint(__name__, "/api/products/{product_id}/matches")


@product_matches.get(role="admin")
def read(request: Request) -> MatchList:
    """The matches, surest first, with their evidence; raises NotFound (404)."""
    from shared.products import pairs

    return pairs.matches(request.path["product_id"])
