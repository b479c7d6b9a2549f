"""/api/admin/logout: end the session everywhere its cookie was copied."""

from shared.edge import Answer, Request, endpoint
from shared.edge.sessions import expired_cookie
from shared.users.schemas import LoggedOut
from shared.users.signing_in import log_out

logout = endpoint(__name__, "/api/admin/logout", service_account="session")


@logout.post(role="admin", audit="session.closed", idempotency_key=False)
def close_session(request: Request) -> Answer[LoggedOut]:
    """An emptied cookie; raises DependencyUnavailable (503) while a copy may still live."""
    if request.session is not None:
        log_out(request.session, request.actor)
    return Answer(LoggedOut(success=True), set_cookie=expired_cookie())
