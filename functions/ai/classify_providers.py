"""/classify/providers: who can be asked, and how each has fared of late."""

from shared.ai_models import PROVIDER_KEYS
from shared.classification.schemas import ProviderList
from shared.edge import Request, endpoint

classify_providers = endpoint(
    __name__,
    "/classify/providers",
    service_account="ai",
    secrets=(
        "SECRET_KEY",
        "UPSTASH_REDIS_REST_TOKEN",
        "KEYS_MASTER_KEY",
        *PROVIDER_KEYS,
    ),
)


@classify_providers.get(role="admin")
def read(request: Request) -> ProviderList:  # noqa: ARG001 - a handler takes the request
    """Each provider with its circuit, models and prices; none is asked."""
    from shared.classification import overview

    return overview.read()
