"""The records of sessions in Firestore, which are the truth about them."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from shared.clients import firestore
from shared.clock import utc_now
from shared.edge.request import Session
from shared.edge.sessions import SessionCopy
from shared.errors import NotFound, Unauthenticated

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, Query, Transaction

COLLECTION = "sessions"
PAGE_ROWS: Final = 100


def add(transaction: "Transaction", session: Session, rights: int) -> None:
    """Writes the record of a new session together with what admits it.

    `rights` is the count of the user's rights that it begins under.
    """
    fields = {
        "uid": session.uid,
        "email": session.email,
        "admin": session.admin,
        "super_admin": session.super_admin,
        "rights": rights,
        "created_at": utc_now(),
        "expires_at": _moment(session.expires_at),
        "revoked_at": None,
    }
    # Not created: a commit whose answer was lost is made again.
    transaction.set(_document(session.id), fields)


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


def of_user(uid: str) -> "Query":
    """The query for all records of a user; those that ended long ago have expired."""
    from google.cloud.firestore import FieldFilter

    only = FieldFilter("uid", "==", uid)
    return firestore.client().collection(COLLECTION).where(filter=only)


def revoke_of_user(uid: str, rights: int) -> None:
    """Marks as ended what a user began under fewer `rights`; raises Conflict if one is busy."""
    from google.cloud.firestore import FieldFilter

    live = of_user(uid).where(filter=FieldFilter("revoked_at", "==", None)).limit(PAGE_ROWS)
    last: Any = None

    def revoke_page(transaction: "Transaction") -> list[Any]:
        page = live if last is None else live.start_after(last)
        found = list(page.stream(transaction=transaction, **firestore.limits()))
        for snapshot in found:
            if (snapshot.to_dict() or {}).get("rights", 0) < rights:
                transaction.update(snapshot.reference, {"revoked_at": utc_now()})
        return found

    while True:
        found = firestore.in_transaction(revoke_page)
        if len(found) < PAGE_ROWS:
            return
        last = found[-1]


def ended_of_user(uid: str, within: timedelta) -> list[str]:
    """The ids of the user's sessions that were marked as ended `within` the time until now."""
    from google.cloud.firestore import FieldFilter

    lately = FieldFilter("revoked_at", ">=", utc_now() - within)
    with firestore.errors_mapped():
        found = of_user(uid).where(filter=lately).stream(**firestore.limits())
        return [snapshot.id for snapshot in found]


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
