"""The roster: who the active super admins are, in one document that each change of them reads.

Two changes at the same moment meet in it, so that not both can count on the other's target.
"""

from typing import TYPE_CHECKING, Any, Final

from shared.clients import firestore
from shared.errors import Conflict, Forbidden

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, Transaction

COLLECTION: Final = "user_rosters"
# Which keeps the document far below 100 kB.
MOST: Final = 1000


def read(transaction: "Transaction") -> set[str]:
    """The ids of the active super admins."""
    snapshot = _reference().get(transaction=transaction, **firestore.limits())
    fields: dict[str, Any] = snapshot.to_dict() or {}
    return set(fields.get("uids", ()))


def write(transaction: "Transaction", known: set[str], new: set[str]) -> None:
    """Replaces the roster where it changed; raises Conflict if nobody or too many would be left."""
    if new == known:
        return
    if not new:
        raise Conflict("This is the last super admin.")
    if len(new) > MOST:
        raise Conflict(f"There are {MOST:,} super admins already.")
    transaction.set(_reference(), {"uids": sorted(new)})


def check_actor(known: set[str], uid: str) -> None:
    """Raises Forbidden if the caller has lost the role since the call was admitted."""
    if uid not in known:
        raise Forbidden("Your own rights have changed; sign in again.")


def _reference() -> "DocumentReference":
    return firestore.client().collection(COLLECTION).document("super_admins")
