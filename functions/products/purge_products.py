"""Schedule: remove for good what was deleted long ago, once a night."""

import msgspec

from shared.edge import Request, schedule


@schedule(__name__)
def purge_products(request: Request) -> None:
    """Removes products that were deleted longer ago than the settings say, and all they had."""
    from datetime import timedelta

    from shared.products import purging
    from shared.system import configuration

    kept = timedelta(days=configuration.read().configuration.retention_days.deleted_products)
    purging.purge(kept, msgspec.structs.replace(request.actor, action="products.purged"))
