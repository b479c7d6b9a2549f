"""/health: a sign of life that touches nothing else."""

from shared.clock import rfc3339, utc_now
from shared.edge import Request, endpoint
from shared.system.schemas import Health

health = endpoint(__name__, "/health", service_account="public", secrets=("SECRET_KEY",))


@health.get(role="public", limit="instance")
def read(request: Request) -> Health:  # noqa: ARG001 - a handler takes the request
    """The present time, from this instance alone."""
    return Health(status="healthy", timestamp=rfc3339(utc_now()))
