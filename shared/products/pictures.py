"""Pictures of products: the same one is stored once, and goes when no product shows it.

`pictures/{digest}` names the folder that holds a picture's files. A writer claims that record
before it stores files and before a product refers to the folder, so a folder that was claimed
within GRACE is never removed, however long its writer takes. Each claim and each product that
lets go of a picture leaves an entry in the outbox: the sweep finds what nobody refers to.
A record that is being removed is never used again: its digest gets another folder, so that
files written anew cannot fall to a removal that is late.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from shared.clients import firestore, storage
from shared.clock import Clock, utc_now
from shared.products import outbox
from shared.products.picture_reading import WIDTHS, Pictures

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, Transaction

COLLECTION: Final = "pictures"
# Longer than any function that may be storing a picture or committing its product.
GRACE: Final = timedelta(minutes=15)
CONTENT_TYPE: Final = "image/webp"
_FOREVER: Final = "public, max-age=31536000, immutable"


def reference(digest: str) -> "DocumentReference":
    """Where a picture's record stands."""
    return firestore.client().collection(COLLECTION).document(digest)


def digest_of(folder: str) -> str:
    """The picture that a folder holds."""
    return folder.partition("-")[0]


def object_name(folder: str, width: int) -> str:
    """Where one width of a picture is stored."""
    return f"pictures/{folder}/{width}.webp"


def owed(folder: str, clock: Clock = utc_now) -> tuple["DocumentReference", dict[str, Any]]:
    """The outbox entry that has a folder looked at later, for the writer's batch."""
    digest = digest_of(folder)
    fields = outbox.fields("picture", digest, 0) | {"at": clock() + GRACE}
    return outbox.document("picture", digest), fields


def keep(pictures: Pictures, clock: Clock = utc_now) -> str:
    """The folder in which the picture is stored now; raises a DependencyError or Conflict."""
    folder, stored = _claim(pictures, clock)
    if stored:
        return folder
    for width, content in pictures.by_width.items():
        storage.put(object_name(folder, width), content, CONTENT_TYPE, _FOREVER)
    with firestore.errors_mapped():
        reference(pictures.digest).update({"stored": True}, **firestore.limits())
    return folder


def settle(digest: str, clock: Clock = utc_now) -> None:
    """Removes the picture if no product shows it; raises to be called again."""
    folder = _doomed(digest, clock)
    if folder is not None:
        _remove(digest, folder)


def _claim(pictures: Pictures, clock: Clock) -> tuple[str, bool]:
    while True:
        known = _claimed(pictures, clock)
        if not known["removing"]:
            return str(known["folder"]), bool(known["stored"])
        _remove(pictures.digest, known["folder"])


def _claimed(pictures: Pictures, clock: Clock) -> Mapping[str, Any]:
    def claim(transaction: "Transaction") -> Mapping[str, Any]:
        document = reference(pictures.digest)
        known = document.get(transaction=transaction, **firestore.limits()).to_dict()
        if known is not None and known["removing"]:
            return known
        if known is None:
            known = {
                "folder": f"{pictures.digest}-{secrets.token_hex(4)}",
                "width": pictures.width,
                "height": pictures.height,
                "stored": False,
                "removing": False,
            }
        transaction.set(document, known | {"touched_at": clock()})
        transaction.set(*owed(known["folder"], clock))
        return known

    return firestore.in_transaction(claim)


def _doomed(digest: str, clock: Clock) -> str | None:
    """The folder of a picture that nobody refers to, marked so that nobody will."""

    def judge(transaction: "Transaction") -> str | None:
        entry = outbox.document("picture", digest)
        due = entry.get(transaction=transaction, **firestore.limits()).to_dict()
        known = reference(digest).get(transaction=transaction, **firestore.limits()).to_dict()
        if known is None:
            transaction.delete(entry)
            return None
        if known["removing"]:
            return str(known["folder"])
        if _young(known, due, clock()):
            transaction.set(*owed(known["folder"], clock))
            return None
        if _referred_to(known["folder"], transaction):
            transaction.delete(entry)
            return None
        transaction.update(reference(digest), {"removing": True})
        return str(known["folder"])

    return firestore.in_transaction(judge)


def _young(known: Mapping[str, Any], due: Mapping[str, Any] | None, now: datetime) -> bool:
    """Whether a writer may be at it: it claimed the picture, or let go of it, within GRACE."""
    late = due is not None and due["at"] > now
    return late or bool(known["touched_at"] + GRACE > now)


def _referred_to(folder: str, transaction: "Transaction") -> bool:
    from google.cloud.firestore import FieldFilter

    # A deleted product may be restored, and its picture with it.
    showing = firestore.client().collection("products")
    query = showing.where(filter=FieldFilter("picture", "==", folder)).limit(1)
    return any(True for _ in query.stream(transaction=transaction, **firestore.limits()))


def _remove(digest: str, folder: str) -> None:
    for width in WIDTHS:
        storage.remove(object_name(folder, width))

    def forget(transaction: "Transaction") -> None:
        known = reference(digest).get(transaction=transaction, **firestore.limits()).to_dict()
        if known is not None and known["folder"] == folder:
            transaction.delete(reference(digest))
            transaction.delete(outbox.document("picture", digest))

    firestore.in_transaction(forget)
