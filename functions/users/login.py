"""/api/admin/login: exchange a Firebase ID token for a session."""

import time

from shared.edge import Answer, Request, endpoint
from shared.edge.sessions import cookie
from shared.users.schemas import LoggedIn, Login
from shared.users.signing_in import log_in

login = endpoint(__name__, "/api/admin/login", memory_mb=512, service_account="session")


@login.post(
    role="public",
    limit="authentication",
    audit="session.opened",
    idempotency_key=False,
    csrf=False,
    raises=(401, 403),
)
def open_session(request: Request[Login]) -> Answer[LoggedIn]:
    """The session's cookie and CSRF token; raises Unauthenticated (401) or Forbidden (403)."""
    body, session = log_in(request.body.idToken, request.actor)
    return Answer(body, set_cookie=cookie(session, time.time()))
