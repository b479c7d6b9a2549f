"""/classify/test-provider: whether a provider answers."""

from shared.ai_models import PROVIDER_KEYS
from shared.classification.schemas import Tested, TestProvider
from shared.edge import Request, endpoint

classify_test_provider = endpoint(
    __name__,
    "/classify/test-provider",
    memory_mb=1024,
    service_account="ai",
    secrets=(
        "SECRET_KEY",
        "UPSTASH_REDIS_REST_TOKEN",
        "KEYS_MASTER_KEY",
        *PROVIDER_KEYS,
    ),
)


@classify_test_provider.post(role="admin", limit="heavy")
def test(request: Request[TestProvider]) -> Tested:
    """How the provider fares at one small question; a failure is an answer, too."""
    from shared.classification import trial

    return trial.run(request.body)
