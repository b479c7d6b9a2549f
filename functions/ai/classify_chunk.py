"""Task: go on with a batch."""

from shared.ai_models import PROVIDER_KEYS
from shared.classification.batch_schemas import ClassifyChunk
from shared.edge import Request, task


def _give_up(request: Request[ClassifyChunk]) -> None:
    from shared.classification import batch_work

    # What spreads a batch is the sweep's to do again.
    if request.body.part is not None:
        batch_work.give_up(request.body.batch_id, request.body.part)


@task(
    __name__,
    queue="classification",
    memory_mb=1024,
    timeout_seconds=300,
    concurrency=8,
    service_account="ai",
    secrets=("KEYS_MASTER_KEY", *PROVIDER_KEYS),
    given_up=_give_up,
)
def classify_chunk(request: Request[ClassifyChunk]) -> None:
    """Works on a part, or has every part worked on that is not done."""
    from shared.classification import batch_work

    if request.body.part is None:
        batch_work.spread(request.body.batch_id)
    else:
        batch_work.work(request.body.batch_id, request.body.part)
