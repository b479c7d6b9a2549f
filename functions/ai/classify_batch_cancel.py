"""/classify-batch/<batch_id>/cancel: begin no more of it."""

from shared.classification.batch_schemas import BatchView, Nothing
from shared.edge import Request, endpoint

classify_batch_cancel = endpoint(
    __name__, "/classify-batch/{batch_id}/cancel", service_account="ai"
)


@classify_batch_cancel.post(role="admin", audit="classification_batch.cancelled", raises=(409,))
def cancel(request: Request[Nothing]) -> BatchView:
    """The batch; what was begun may still end. Raises NotFound (404), Conflict (409)."""
    from shared.classification import batches

    return batches.cancel(request.path["batch_id"], request.actor)
