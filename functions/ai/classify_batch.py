"""/classify-batch/<batch_id>: how far a batch is."""

from shared.classification.batch_schemas import BatchView
from shared.edge import Request, endpoint

classify_batch = endpoint(__name__, "/classify-batch/{batch_id}", service_account="ai")


@classify_batch.get(role="admin")
def read(request: Request) -> BatchView:
    """The batch with its counts and its cost; raises NotFound (404)."""
    from shared.classification import batches

    return batches.describe(request.path["batch_id"])
