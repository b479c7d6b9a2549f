"""/api/admin/ticket: a single-use key to a stream or socket."""

from shared.clock import rfc3339
from shared.config import settings
from shared.edge import Request, endpoint
from shared.edge.tickets import issue
from shared.errors import Unauthenticated
from shared.users.schemas import TicketRequest, TicketView

ticket = endpoint(__name__, "/api/admin/ticket", service_account="session")


@ticket.post(role="admin", idempotency_key=False)
def create(request: Request[TicketRequest]) -> TicketView:
    """A ticket that lives 60 s and opens one stream or socket, once."""
    if request.session is None:
        raise Unauthenticated("Sign in first.")
    value, expires_at = issue(request.session, request.body.purpose)
    url = f"{settings().functions_url}/{request.body.purpose}"
    return TicketView(ticket=value, url=url, expires_at=rfc3339(expires_at))
