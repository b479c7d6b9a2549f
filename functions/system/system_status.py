"""/system/status: the state of what the product stands on."""

from shared.ai_models import PROVIDER_KEYS
from shared.edge import Request, endpoint
from shared.system.schemas import SystemStatus

system_status = endpoint(
    __name__,
    "/system/status",
    memory_mb=512,
    service_account="status",
    # All but the first two only to say whether they are set.
    secrets=(
        "SECRET_KEY",
        "UPSTASH_REDIS_REST_TOKEN",
        "SLACK_WEBHOOK_URL",
        "SMTP_URL",
        *PROVIDER_KEYS,
    ),
)


@system_status.get(role="admin")
def read(request: Request) -> SystemStatus:  # noqa: ARG001 - a handler takes the request
    """Each part's state and latency, as far as they answer within three seconds."""
    from shared.classification import status_part
    from shared.crawling import status_part as crawls
    from shared.system import status
    from shared.system.status_parts import PARTS

    return status.read((*PARTS, status_part.PART, crawls.PART))
