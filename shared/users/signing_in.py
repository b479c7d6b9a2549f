"""Signing in and out: an ID token becomes a session of ours."""

from datetime import UTC, datetime
from typing import Final

from shared.clients import identity
from shared.clock import Clock, rfc3339, utc_now
from shared.edge import csrf, sessions
from shared.edge.request import Actor, Session
from shared.errors import Forbidden, Unauthenticated
from shared.system import audit
from shared.users.schemas import LoggedIn, SessionView, UserView

FRESH_SECONDS: Final = 300


def log_in(id_token: str, actor: Actor, clock: Clock = utc_now) -> tuple[LoggedIn, Session]:
    """A session for an admin's fresh ID token; raises Unauthenticated or Forbidden."""
    who = identity.verify_id_token(id_token)
    if clock().timestamp() - who.auth_time > FRESH_SECONDS:
        raise Unauthenticated("The ID token is too old: sign in again.")
    if not (who.claims.get("admin") or who.claims.get("super_admin")):
        raise Forbidden("This account is not an administrator's.")
    session = sessions.open_session(who.uid, who.email, who.claims, clock)
    audit.write(
        Actor(who.uid, who.email, actor.action, actor.address, actor.request_id),
        f"users/{who.uid}",
    )
    return LoggedIn(success=True, user=_user(session), csrfToken=csrf.token(session)), session


def log_out(session: Session, actor: Actor) -> None:
    """Ends the session everywhere; raises DependencyUnavailable where a copy may live on."""
    audit.write(actor, f"users/{session.uid}")
    sessions.revoke(session)


def describe(session: Session | None) -> SessionView:
    """What the dashboard asks on each start: is there a session, and whose."""
    if session is None:
        return SessionView(valid=False)
    return SessionView(
        valid=True,
        user=_user(session),
        csrfToken=csrf.token(session),
        expiresAt=rfc3339(datetime.fromtimestamp(session.expires_at, UTC)),
    )


def _user(session: Session) -> UserView:
    return UserView(
        uid=session.uid,
        email=session.email,
        isAdmin=session.admin,
        isSuperAdmin=session.super_admin,
    )
