"""/api/products/<product_id>: read, change or remove one product."""

from shared.edge import Request, endpoint
from shared.products import catalogue
from shared.products.picture_links import shown
from shared.products.schemas import ProductChange, ProductView

product = endpoint(__name__, "/api/products/{product_id}")


@product.get(role="admin", etag=True)
def read(request: Request) -> ProductView:
    """The product, with its version as ETag; raises NotFound (404)."""
    return shown(catalogue.read(request.path["product_id"]))


@product.put(role="admin", audit="product.updated", etag=True, if_match=True, raises=(409,))
def change(request: Request[ProductChange]) -> ProductView:
    """The changed product; raises NotFound (404), Conflict (409) or StaleVersion (412)."""
    changed = catalogue.change(
        request.path["product_id"], request.body, request.if_match, request.actor
    )
    return shown(changed)


@product.delete(role="admin", audit="product.deleted", etag=True, if_match=True, raises=(409,))
def remove(request: Request) -> ProductView:
    """The product, marked as deleted; raises NotFound (404), StaleVersion (412)."""
    return shown(catalogue.remove(request.path["product_id"], request.if_match, request.actor))
