"""The outbox: what a write still owes its consequences, in the same commit as the write.

The task that finishes the consequences deletes the entry, if it still names the version that
it worked on; the scheduled sweep reads this collection and nothing else.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from shared.clients import firestore
from shared.clock import utc_now

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

COLLECTION: Final = "outbox"
# The version of what is not there any more.
GONE: Final = 0
Kind = Literal[
    "product",
    "category",
    "picture",
    "price",
    "notification",
    "product_price",
    "user",
    "rematch",
    "crawl_ingestion",
]


class Owed(msgspec.Struct, frozen=True):
    """One entry: the kind of the thing, its id, and the version whose consequences are due."""

    kind: Kind
    id: str
    version: int
    at: datetime


def document(kind: Kind, thing_id: str) -> "DocumentReference":
    """Where the entry of one thing stands; a later write of it replaces an earlier one."""
    return firestore.client().collection(COLLECTION).document(f"{kind}-{thing_id}")


def fields(kind: Kind, thing_id: str, version: int) -> dict[str, Any]:
    """The entry's fields, for the writer's batch."""
    return {"kind": kind, "id": thing_id, "version": version, "at": utc_now()}


def overdue(age: timedelta, most: int) -> Iterator[Owed]:
    """Entries older than `age`, oldest first, at most `most`."""
    from google.cloud.firestore import FieldFilter

    query = (
        firestore.client()
        .collection(COLLECTION)
        .where(filter=FieldFilter("at", "<=", utc_now() - age))
        .order_by("at")
        .limit(most)
    )
    with firestore.errors_mapped():
        for snapshot in query.stream(**firestore.limits()):
            record = snapshot.to_dict() or {}
            yield Owed(record["kind"], record["id"], record["version"], record["at"])
