"""/api/products/<product_id>/image: give a product a picture, or take it away.

The largest picture allowed takes about 1 GB to decode, so an instance takes one at a time.
"""

from shared.edge import Form, Request, endpoint
from shared.products.picture_upload import PictureAddress
from shared.products.schemas import ProductView

product_image = endpoint(
    __name__, "/api/products/{product_id}/image", memory_mb=2048, concurrency=1
)


@product_image.post(
    role="admin",
    limit="heavy",
    large=True,
    audit="product.image_replaced",
    etag=True,
    if_match=True,
    raises=(409,),
)
def replace(request: Request[PictureAddress | Form]) -> ProductView:
    """The product with the picture sent or fetched; raises NotFound (404), TooLarge (413)."""
    from shared.products import picture_links, picture_upload

    product_id = request.path["product_id"]
    changed = picture_upload.replace(product_id, request.body, request.if_match, request.actor)
    return picture_links.shown(changed)


@product_image.delete(
    role="admin", audit="product.image_removed", etag=True, if_match=True, raises=(409,)
)
def remove(request: Request) -> ProductView:
    """The product without its picture; raises NotFound (404), StaleVersion (412)."""
    from shared.products import picture_links, picture_upload

    product_id = request.path["product_id"]
    return picture_links.shown(picture_upload.remove(product_id, request.if_match, request.actor))
