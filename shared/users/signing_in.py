"""Signing in and out: an ID token becomes a session of ours.

A session begins in one transaction with the profile that admits it. So a change of role either
sees the session that it must end, or is seen by the login. When it was is written down after that:
logins of one account at the same moment would else wait for each other's locks.
"""

import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from shared.clients import firestore, identity
from shared.clock import Clock, rfc3339, utc_now
from shared.edge import activity, csrf, sessions
from shared.edge.request import Actor, Session
from shared.errors import (
    Conflict,
    DependencyUnavailable,
    Forbidden,
    ShoppleError,
    Unauthenticated,
)
from shared.system import audit
from shared.users import erasures, profiles, roster
from shared.users.profiles import Profile
from shared.users.schemas import LoggedIn, SessionView, UserView

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.cloud.firestore import Transaction

log = logging.getLogger(__name__)

FRESH_SECONDS: Final = 300
MORE_TRIES: Final = 2
# A sign-in this soon after another is not written down.
SAME_SIGN_IN: Final = timedelta(minutes=1)


def log_in(id_token: str, actor: Actor, clock: Clock = utc_now) -> tuple[LoggedIn, Session]:
    """A session for an admin's fresh ID token; raises Unauthenticated or Forbidden."""
    from shared.edge import session_records

    who = identity.verify_id_token(id_token)
    if clock().timestamp() - who.auth_time > FRESH_SECONDS:
        raise Unauthenticated("The ID token is too old: sign in again.")

    def enter(transaction: "Transaction") -> tuple[Session, Profile]:
        known = _known(transaction, who.uid)
        profile = _admitted(known, who, clock())
        session = sessions.new_session(
            who.uid, profile.email, super_admin=profile.super_admin, clock=clock
        )
        listed = roster.read(transaction) if profile.super_admin else set()
        session_records.add(transaction, session, profile.rights)
        if profile != known:
            transaction.set(profiles.reference(who.uid), profiles.to_document(profile))
        if profile.super_admin:
            roster.write(transaction, listed, listed | {who.uid})
        as_user = msgspec.structs.replace(actor, uid=who.uid, email=profile.email)
        transaction.set(*audit.entry(as_user, f"users/{who.uid}", None, None))
        return session, profile

    session, profile = _entered(enter)
    _note_sign_in(profile, clock())
    activity.note(who.uid, clock)
    return LoggedIn(success=True, user=_user(session), csrfToken=csrf.token(session)), session


def _entered(enter: "Callable[[Transaction], tuple[Session, Profile]]") -> tuple[Session, Profile]:
    for _ in range(MORE_TRIES):
        # Of many first logins at once one writes the profile; the others find it then.
        with suppress(Conflict):
            return firestore.in_transaction(enter)
    try:
        return firestore.in_transaction(enter)
    except Conflict as error:
        raise DependencyUnavailable("The account is busy; sign in again.") from error


def _known(transaction: "Transaction", uid: str) -> Profile | None:
    references = [profiles.reference(uid), erasures.reference(uid)]
    found = firestore.client().get_all(references, transaction=transaction, **firestore.limits())
    fields = {s.reference.parent.id: s.to_dict() for s in found}
    if fields[erasures.COLLECTION] is not None:
        raise Unauthenticated("The ID token is not valid.")
    known = fields[profiles.COLLECTION]
    return None if known is None else profiles.from_document(uid, known)


def _admitted(known: Profile | None, who: identity.Identity, now: datetime) -> Profile:
    if known is None:
        # The account is older than profiles are, or was made by hand: its claims count, once.
        name = str(who.claims.get("name") or who.email.partition("@")[0])
        role = profiles.role_in(who.claims)
        made = profiles.new_profile(who.uid, who.email, name, role, now)
        known = msgspec.structs.replace(made, last_sign_in_at=now)
    if known.disabled:
        raise Forbidden("This account is disabled.")
    if not known.admitted:
        raise Forbidden("This account is not an administrator's.")
    return known if known.email == who.email else msgspec.structs.replace(known, email=who.email)


def _note_sign_in(profile: Profile, now: datetime) -> None:
    last = profile.last_sign_in_at
    if last is not None and now - last < SAME_SIGN_IN:
        return
    try:
        with firestore.errors_mapped():
            noted = profiles.reference(profile.uid)
            noted.update({"last_sign_in_at": now}, **firestore.limits())
    except ShoppleError as error:
        # The session has begun, and nobody is kept out for a note; an erased profile stays away.
        log.warning("Sign-in not noted", extra={"context": {"why": error.detail}})


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
