"""The records of sessions in Firestore, which are the truth about them."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shared.clients import firestore
from shared.clock import utc_now
from shared.edge.request import Session
from shared.edge.sessions import SessionCopy
from shared.errors import NotFound, Unauthenticated

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

COLLECTION = "sessions"


def create(session: Session) -> None:
    """Writes the record of a new session; raises a DependencyError."""
    with firestore.errors_mapped():
        _document(session.id).create(
            {
                "uid": session.uid,
                "email": session.email,
                "admin": session.admin,
                "super_admin": session.super_admin,
                "created_at": utc_now(),
                "expires_at": _moment(session.expires_at),
                "revoked_at": None,
            },
            **firestore.limits(),
        )


def read(sid: str, now_seconds: float) -> SessionCopy:
    """The live record of `sid`; raises Unauthenticated if it is absent, over or revoked."""
    with firestore.errors_mapped():
        snapshot = _document(sid).get(**firestore.limits())
    record = snapshot.to_dict()
    if record is None or record["revoked_at"] is not None:
        raise Unauthenticated("The session has ended.")
    if record["expires_at"].timestamp() <= now_seconds:
        raise Unauthenticated("The session has expired.")
    return SessionCopy(
        uid=record["uid"],
        email=record["email"],
        admin=record["admin"],
        super_admin=record["super_admin"],
    )


def extend(sid: str, expires_at_seconds: float) -> None:
    """Gives the session a later end; raises Unauthenticated if it is gone, Conflict if busy."""
    _update(sid, {"expires_at": _moment(expires_at_seconds)})


def revoke(sid: str) -> None:
    """Marks the session as ended; raises Unauthenticated if it is gone, Conflict if busy."""
    _update(sid, {"revoked_at": utc_now()})


def _update(sid: str, change: dict[str, object]) -> None:
    try:
        with firestore.errors_mapped():
            _document(sid).update(change, **firestore.limits())
    except NotFound:
        raise Unauthenticated("The session has ended.") from None


def _document(sid: str) -> "DocumentReference":
    return firestore.client().collection(COLLECTION).document(sid)


def _moment(epoch_seconds: float) -> datetime:
    return datetime.fromtimestamp(epoch_seconds, UTC)
