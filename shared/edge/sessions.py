"""Sessions: a signed token in a cookie, its record in Firestore, a short-lived copy in Redis.

The record is the truth. Redis holds a positive copy for at most 60 s, written only where no
tombstone stands, so that a slow reader cannot bring a revoked session back.
"""

import secrets
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec
from itsdangerous import BadSignature, URLSafeSerializer

from shared.clients import redis
from shared.clock import Clock, utc_now
from shared.config import settings
from shared.edge.request import Session
from shared.errors import Conflict, DependencyUnavailable, Unauthenticated

if TYPE_CHECKING:
    from upstash_redis import Redis

COOKIE: Final = "__session"
ORIGINAL_COOKIE: Final = "session"
LIFETIME_SECONDS: Final = 3600
RENEW_AFTER_SECONDS: Final = 300
COPY_SECONDS: Final = 60
# Longer than any request may run, so that none that read the record before can outlive it.
TOMBSTONE_SECONDS: Final = 900
REVOKED: Final = "revoked"
TOMBSTONES_AT_ONCE: Final = 200
_TOMBSTONES: Final = (
    "for _, key in ipairs(KEYS) do redis.call('SET', key, ARGV[1], 'EX', ARGV[2]) end"
)


class Token(msgspec.Struct, array_like=True):
    """What the cookie carries, signed: the session's id, its user and the end in epoch seconds."""

    sid: str
    uid: str
    expires_at: float


class SessionCopy(msgspec.Struct):
    """The record as Redis keeps it."""

    uid: str
    email: str
    admin: bool
    super_admin: bool


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(settings().secret_key, salt="session")


def sign(token: Token) -> str:
    """The cookie's value for `token`."""
    return str(_serializer().dumps([token.sid, token.uid, token.expires_at]))


def verify(value: str, now_seconds: float) -> Token:
    """The token in a cookie's value; raises Unauthenticated if it is forged or expired."""
    try:
        token = msgspec.convert(_serializer().loads(value), Token)
    except (BadSignature, msgspec.ValidationError, ValueError):
        raise Unauthenticated("The session is not valid.") from None
    if token.expires_at <= now_seconds:
        raise Unauthenticated("The session has expired.")
    return token


def copy_key(sid: str) -> str:
    """Where Redis keeps the copy of the session `sid`."""
    return f"session:{sid}"


def new_session(uid: str, email: str, *, super_admin: bool, clock: Clock = utc_now) -> Session:
    """A session of an admin that is not written down yet."""
    return Session(
        id=secrets.token_urlsafe(24),
        uid=uid,
        email=email,
        admin=True,
        super_admin=super_admin,
        expires_at=clock().timestamp() + LIFETIME_SECONDS,
    )


def resolve(token: Token, copy: str | None, now_seconds: float) -> Session:
    """The live session of a verified token; raises Unauthenticated once it is revoked."""
    if copy == REVOKED:
        raise Unauthenticated("The session has ended.")
    if copy is not None:
        known = msgspec.json.decode(copy, type=SessionCopy)
        return _session(token, known)
    from shared.edge import session_records

    known = session_records.read(token.sid, now_seconds)
    text = msgspec.json.encode(known).decode()
    redis.try_call(lambda r: r.set(copy_key(token.sid), text, nx=True, ex=COPY_SECONDS))
    return _session(token, known)


def _session(token: Token, known: SessionCopy) -> Session:
    if known.uid != token.uid:
        raise Unauthenticated("The session is not valid.")
    return Session(
        id=token.sid,
        uid=known.uid,
        email=known.email,
        admin=known.admin,
        super_admin=known.super_admin,
        expires_at=token.expires_at,
    )


def renewed(session: Session, now_seconds: float) -> Session | None:
    """The session with a new hour, once enough of the old one is used; None before that."""
    if session.expires_at - now_seconds > LIFETIME_SECONDS - RENEW_AFTER_SECONDS:
        return None
    from shared.edge import activity, session_records

    expires_at = now_seconds + LIFETIME_SECONDS
    try:
        session_records.extend(session.id, expires_at)
    except Conflict:
        # Another call of the same page renews it at this moment, and sets the cookie.
        return None
    activity.note(session.uid)
    return msgspec.structs.replace(session, expires_at=expires_at)


def revoke(session: Session) -> None:
    """Ends the session everywhere; raises DependencyUnavailable if its copy cannot be dropped."""
    from shared.edge import session_records

    try:
        session_records.revoke(session.id)
    except Conflict as error:
        raise DependencyUnavailable("The session is busy; sign out again.") from error
    try:
        redis.must_call(lambda r: r.set(copy_key(session.id), REVOKED, ex=TOMBSTONE_SECONDS))
    except DependencyUnavailable as error:
        raise DependencyUnavailable(
            "The session has ended, but its copy may live for another minute. Sign out again."
        ) from error


def revoke_of_user(uid: str, rights: int) -> None:
    """Ends a user's sessions that began under fewer `rights`; raises a DependencyError, Conflict.

    The records come first. Copies of whatever ended lately are dropped each time, so that a call
    that was cut off in between is made good by another one.
    """
    from shared.edge import session_records

    session_records.revoke_of_user(uid, rights)
    ended = session_records.ended_of_user(uid, timedelta(seconds=TOMBSTONE_SECONDS))
    for at in range(0, len(ended), TOMBSTONES_AT_ONCE):
        keys = [copy_key(sid) for sid in ended[at : at + TOMBSTONES_AT_ONCE]]
        redis.must_call(partial(_set_tombstones, keys=keys))


def _set_tombstones(client: "Redis", keys: list[str]) -> None:
    # The client stumbles over a pipeline that is refused as a whole.
    client.eval(_TOMBSTONES, keys=keys, args=[REVOKED, str(TOMBSTONE_SECONDS)])


def cookie(session: Session, now_seconds: float) -> str:
    """The `Set-Cookie` value that carries the session."""
    token = sign(Token(session.id, session.uid, session.expires_at))
    return _cookie(token, int(session.expires_at - now_seconds))


def expired_cookie() -> str:
    """The `Set-Cookie` value that removes the session's cookie."""
    return _cookie("", 0)


def _cookie(value: str, max_age_seconds: int) -> str:
    configured = settings()
    secure = "; Secure" if configured.cookie_secure else ""
    return (
        f"{COOKIE}={value}; Path=/; Max-Age={max_age_seconds}; HttpOnly{secure}; "
        f"SameSite={configured.session_samesite}"
    )
