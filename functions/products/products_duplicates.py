"""/api/products/duplicates: products that are thought to be the same, for a person to decide."""

from shared.edge import Cached, Request, endpoint
from shared.products.duplicate_schemas import DuplicatesPage, DuplicatesQuery

products_duplicates = endpoint(__name__, "/api/products/duplicates")


@products_duplicates.get(role="admin", cached=Cached("products", ttl_seconds=300), raises=(400,))
def read_page(request: Request[None, DuplicatesQuery]) -> DuplicatesPage:
    """One page of groups, surest first; raises BadRequest (400) for a foreign cursor."""
    from shared.products import duplicates

    return duplicates.read_page(request.query)
