"""/system/status: the state of what the product stands on."""

from shared.edge import Request, endpoint
from shared.system.schemas import SystemStatus

system_status = endpoint(__name__, "/system/status", memory_mb=512, service_account="status")


@system_status.get(role="admin")
def read(request: Request) -> SystemStatus:  # noqa: ARG001 - a handler takes the request
    """Each part's state and latency."""
    from shared.system import status

    return status.read()
