"""/classify-batch: begin a batch, and list those that there are."""

from shared.ai_models import PROVIDER_KEYS
from shared.classification.batch_schemas import (
    BatchAccepted,
    BatchList,
    ClassifyBatch,
    ListBatches,
)
from shared.edge import Request, endpoint

classify_batches = endpoint(
    __name__,
    "/classify-batch",
    # Ten thousand products are looked through before they are stored.
    memory_mb=1024,
    service_account="ai",
    secrets=(
        "SECRET_KEY",
        "UPSTASH_REDIS_REST_TOKEN",
        "KEYS_MASTER_KEY",
        *PROVIDER_KEYS,
    ),
)


@classify_batches.post(
    role="admin",
    limit="heavy",
    large=True,
    audit="classification_batch.begun",
    answers={202: BatchAccepted},
    raises=(409,),
)
def begin(request: Request[ClassifyBatch]) -> BatchAccepted:
    """The batch that was begun; followed at its own path, or by a listener of Firestore."""
    from shared.classification import batches

    return batches.begin(request.body, request.actor)


@classify_batches.get(role="admin", raises=(400,))
def read_page(request: Request[None, ListBatches]) -> BatchList:
    """One page, newest first; raises BadRequest (400), a foreign cursor."""
    from shared.classification import batches

    return batches.read_page(request.query)
