"""/api/products: the catalogue, page by page."""

from shared.edge import Cached, Request, endpoint
from shared.products.schemas import ListProducts, ProductPage

products = endpoint(__name__, "/api/products", concurrency=80)


@products.get(role="admin", cached=Cached("products", ttl_seconds=60), raises=(400,))
def read_page(request: Request[None, ListProducts]) -> ProductPage:
    """One page by number or cursor; raises BadRequest (400) for a foreign cursor."""
    from shared.products.listing import list_products

    return list_products(request.query)
