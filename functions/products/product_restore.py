"""/api/products/<product_id>/restore: bring a removed product back."""

from shared.edge import Request, endpoint
from shared.products import catalogue
from shared.products.picture_links import shown
from shared.products.schemas import ProductView

product_restore = endpoint(__name__, "/api/products/{product_id}/restore")


@product_restore.post(
    role="admin", audit="product.restored", etag=True, if_match=True, raises=(409,)
)
def restore(request: Request) -> ProductView:
    """The product, active again; raises NotFound (404), StaleVersion (412)."""
    return shown(catalogue.restore(request.path["product_id"], request.if_match, request.actor))
