"""/api/admin/ticket: a single-use key to a stream or socket."""

from shared.clock import rfc3339
from shared.config import settings
from shared.edge import Request, endpoint
from shared.edge.tickets import issue
from shared.errors import DependencyUnavailable, Unauthenticated
from shared.users.schemas import TicketRequest, TicketView

ticket = endpoint(__name__, "/api/admin/ticket", service_account="session")


@ticket.post(role="admin", idempotency_key=False)
def create(request: Request[TicketRequest]) -> TicketView:
    """A ticket that lives 60 s and opens one stream or socket, once."""
    if request.session is None:
        raise Unauthenticated("Sign in first.")
    url = _url(request.body.purpose)
    value, expires_at = issue(request.session, request.body.purpose)
    return TicketView(ticket=value, url=url, expires_at=rfc3339(expires_at))


def _url(purpose: str) -> str:
    configured = settings()
    if purpose != "crawler":
        return configured.function_url(purpose)
    if configured.live_url is None:
        raise DependencyUnavailable("There is no WebSocket service: set LIVE_URL to its address.")
    return f"{configured.live_url}/ws/crawler"
