"""Schedule: remove for good what was deleted long ago, once a night."""

import msgspec

from shared.edge import Request, schedule


@schedule(__name__)
def purge_products(request: Request) -> None:
    """Removes products that were deleted over 90 days ago, with all that hangs on them."""
    from shared.products import purging

    purging.purge(purging.KEPT, msgspec.structs.replace(request.actor, action="products.purged"))
