"""Tickets: single-use, one minute, for streams and sockets that no cookie reaches.

A ticket is bound to the session that asked for it: it opens nothing once that session ends.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from shared.clients import firestore
from shared.clock import Clock, utc_now
from shared.edge import session_records
from shared.edge.request import Session
from shared.errors import Conflict, NotFound, Unauthenticated

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

COLLECTION: Final = "tickets"
LIFETIME: Final = timedelta(seconds=60)


def issue(session: Session, purpose: str, clock: Clock = utc_now) -> tuple[str, datetime]:
    """A new ticket for `purpose`, and when it ends; only its hash is stored."""
    ticket = secrets.token_urlsafe(32)
    expires_at = clock() + LIFETIME
    record = {
        "purpose": purpose,
        "sid": session.id,
        "session_expires_at": session.expires_at,
        "expires_at": expires_at,
    }
    with firestore.errors_mapped():
        document = firestore.client().collection(COLLECTION).document(_digest(ticket))
        document.create(record, **firestore.limits())
    return ticket, expires_at


def redeem(ticket: str, purpose: str, clock: Clock = utc_now) -> Session:
    """The session behind a ticket, which is used up; raises Unauthenticated."""
    document = firestore.client().collection(COLLECTION).document(_digest(ticket))

    now = clock()
    record = _taken(document)
    if record is None or record["purpose"] != purpose or record["expires_at"] <= now:
        raise Unauthenticated("The ticket is not valid, or was used before.")
    known = session_records.read(record["sid"], now.timestamp())
    return Session(
        id=record["sid"],
        uid=known.uid,
        email=known.email,
        admin=known.admin,
        super_admin=known.super_admin,
        expires_at=record["session_expires_at"],
    )


def _taken(document: "DocumentReference") -> dict[str, Any] | None:
    """What the document held that is gone now; None where there is none, or another took it."""
    with firestore.errors_mapped():
        snapshot = document.get(**firestore.limits())
    if not snapshot.exists:
        return None
    unchanged = firestore.client().write_option(last_update_time=snapshot.update_time)
    try:
        # Of several at once one finds it unchanged, as in a transaction, but without its locks.
        with firestore.errors_mapped():
            document.delete(option=unchanged, **firestore.limits())
    except (Conflict, NotFound):
        return None
    return snapshot.to_dict()


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()
