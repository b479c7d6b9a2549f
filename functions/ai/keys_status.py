"""/keys/status: which providers have a key."""

from shared.ai_models import PROVIDER_KEYS
from shared.classification.schemas import KeysStatus
from shared.edge import Request, endpoint

keys_status = endpoint(
    __name__,
    "/keys/status",
    service_account="ai",
    secrets=(
        "SECRET_KEY",
        "UPSTASH_REDIS_REST_TOKEN",
        *PROVIDER_KEYS,
    ),
)


@keys_status.get(role="admin")
def read(request: Request) -> KeysStatus:  # noqa: ARG001 - a handler takes the request
    """The last four characters of each key and when it was set."""
    from shared.classification import keys

    return keys.status()
