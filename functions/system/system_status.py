"""/system/status: the state of what the product stands on."""

from shared.edge import Request, endpoint
from shared.system.schemas import SystemStatus

system_status = endpoint(
    __name__,
    "/system/status",
    memory_mb=512,
    service_account="status",
    # The last two only to say whether they are set.
    secrets=("SECRET_KEY", "UPSTASH_REDIS_REST_TOKEN", "SLACK_WEBHOOK_URL", "SMTP_URL"),
)


@system_status.get(role="admin")
def read(request: Request) -> SystemStatus:  # noqa: ARG001 - a handler takes the request
    """Each part's state and latency, as far as they answer within three seconds."""
    from shared.system import status

    return status.read()
