"""What is known of users that were removed: that they were, and how far the erasing has come.

The record outlives the account, so that a token from before cannot bring a profile back.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.errors import Conflict

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, Transaction

COLLECTION: Final = "user_erasures"
KEPT: Final = timedelta(days=30)


class Erasure(msgspec.Struct, frozen=True):
    """One removed user; `reached` says up to where the trail is done, by the field searched."""

    at: datetime
    done_at: datetime | None
    reached: dict[str, datetime]


def reference(uid: str) -> "DocumentReference":
    """Where the erasure of a user is recorded."""
    return firestore.client().collection(COLLECTION).document(uid)


def fields(now: datetime) -> dict[str, Any]:
    """An erasure that begins."""
    return {"at": now, "done_at": None, "reached": {}, "expires_at": now + KEPT}


def read(uid: str) -> Erasure | None:
    """The erasure of a user, or None; raises a DependencyError."""
    with firestore.errors_mapped():
        known = reference(uid).get(**firestore.limits()).to_dict()
    if known is None:
        return None
    return Erasure(at=known["at"], done_at=known["done_at"], reached=known["reached"])


def check_none(transaction: "Transaction", uid: str) -> None:
    """Raises Conflict where the user was removed: a new profile would end the erasing."""
    if reference(uid).get(transaction=transaction, **firestore.limits()).exists:
        raise Conflict("The removal of this user is still going on; try again later.")


def update(uid: str, change: dict[str, Any]) -> None:
    """Writes down how far the erasing has come; raises a DependencyError."""
    with firestore.errors_mapped():
        reference(uid).update(change, **firestore.limits())


def pseudonym(uid: str) -> str:
    """What stands in the audit trail in place of the address of a removed user."""
    return f"{uid}@erased.invalid"
