"""/api/admin/session: who is signed in, if anybody."""

from shared.edge import Request, endpoint
from shared.users.schemas import SessionView
from shared.users.signing_in import describe

session = endpoint(__name__, "/api/admin/session", service_account="session")


@session.get(role="public")
def read(request: Request) -> SessionView:
    """The session with its CSRF token, or `valid: false`."""
    return describe(request.session)
