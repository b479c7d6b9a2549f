"""/keys/set: a provider's key, which nobody reads again."""

from shared.classification.schemas import KeyStatus, SetKey
from shared.edge import Request, endpoint

keys_set = endpoint(
    __name__,
    "/keys/set",
    service_account="ai",
    secrets=("SECRET_KEY", "UPSTASH_REDIS_REST_TOKEN", "KEYS_MASTER_KEY"),
)


@keys_set.post(role="super_admin", audit="provider_key.set", idempotency_key=False)
def store(request: Request[SetKey]) -> KeyStatus:
    """The key's last four characters; it stands before the environment's from now on."""
    from shared.classification import keys

    return keys.store(request.body.provider, request.body.key, request.actor)
