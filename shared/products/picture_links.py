"""Where a product's picture is seen: lasting links, or time-limited ones for a single product."""

from datetime import timedelta
from typing import Final

import msgspec

from shared.config import settings
from shared.products.models import Product
from shared.products.schemas import ProductView, view

LIFETIME: Final = timedelta(hours=1)
# What `image` shows of a stored picture.
USUAL_WIDTH: Final = 480


def shown(product: Product) -> ProductView:
    """The product with links to its picture; raises a DependencyError where they must be signed.

    Lists have lasting links only: each signature is a call to Google, and a page may be kept.
    """
    seen = view(product)
    if product.picture is None or settings().image_base_url is not None:
        return seen
    from shared.clients import storage
    from shared.products.picture_reading import WIDTHS
    from shared.products.pictures import object_name

    links = {
        str(width): storage.link(object_name(product.picture, width), LIFETIME) for width in WIDTHS
    }
    return msgspec.structs.replace(seen, images=links, image=links[str(USUAL_WIDTH)])
