"""/classify: the categories of some products, told as they are found."""

from shared.ai_models import PROVIDER_KEYS
from shared.classification.schemas import Classify, StreamedEvent
from shared.edge import Request, endpoint
from shared.edge.streaming import Stream

classify = endpoint(
    __name__,
    "/classify",
    memory_mb=1024,
    timeout_seconds=540,
    service_account="ai",
    secrets=(
        "SECRET_KEY",
        "UPSTASH_REDIS_REST_TOKEN",
        "KEYS_MASTER_KEY",
        *PROVIDER_KEYS,
    ),
)


@classify.post(
    role="admin",
    limit="heavy",
    ticket="classify",
    idempotency_key=False,
    answers={200: StreamedEvent},
    content_type="text/event-stream",
    raises=(409,),
)
def begin(request: Request[Classify]) -> Stream:
    """Server-sent events: progress, restart, result, error, and complete at the end.

    Sent as they happen at the function's own URL, which takes a ticket; Hosting sends them
    together, and cuts off after 60 s.
    """
    from shared.classification import classifying

    return classifying.stream(request.body)
