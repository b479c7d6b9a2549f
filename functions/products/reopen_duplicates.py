"""/api/products/duplicates/reopen: take decisions back, as if nobody had decided."""

from shared.edge import Request, endpoint
from shared.products.duplicate_schemas import Reopen, ReopenedCount

reopen_duplicates = endpoint(__name__, "/api/products/duplicates/reopen", memory_mb=512)


@reopen_duplicates.post(role="admin", audit="duplicates.reopened", raises=(409,))
def reopen(request: Request[Reopen]) -> ReopenedCount:
    """How many decisions were taken back; raises Conflict (409) where others decide too."""
    from shared.products import reopening

    return reopening.reopen(request.body, request.actor)
