"""The users of each ISO week, packed: one document for each 2,500 of them.

A closed week does not change any more, so a recount reads these instead of a year of days. They
are kept as long as single users are told of; of older weeks the figures alone are left.
"""

import zlib
from collections import defaultdict
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.users.activity_figures import MOST_DAYS, WEEK_DAYS, Member, monday_of

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, DocumentSnapshot

COLLECTION: Final = "insight_weeks"
# A user takes some 30 bytes packed, and a document stays under 100 kB.
MOST_IN_PART: Final = 2500
# All weeks that the last 90 days touch.
KEPT_WEEKS: Final = MOST_DAYS // WEEK_DAYS + 2

Users = dict[str, Member]


class Weeks:
    """The weeks as they were read, to be changed and stored again."""

    def __init__(self) -> None:
        self.users: dict[str, Users] = defaultdict(dict)
        self._parts: dict[str, list[DocumentSnapshot[Any]]] = defaultdict(list)

    def add(self, snapshot: "DocumentSnapshot[Any]") -> None:
        """Takes up one document that was read; those of a week come in order."""
        week = snapshot.get("week")
        self._parts[week].append(snapshot)
        self.users[week] |= unpack(snapshot.get("users"), Users)

    def store(self, week: str) -> None:
        """Writes the users of a week; raises Conflict if one of its documents changed meanwhile."""
        uids = list(self.users[week])
        parts = self._parts[week]
        needed = -(-len(uids) // MOST_IN_PART)
        for number in range(max(needed, len(parts))):
            chosen = uids[number * MOST_IN_PART : (number + 1) * MOST_IN_PART]
            before = parts[number] if number < len(parts) else _get(document(week, number))
            firestore.store(before, fields(week, {uid: self.users[week][uid] for uid in chosen}))


def read(first_week: str) -> Weeks:
    """The weeks from `first_week` on: one read for each 2,500 users of a week."""
    from google.cloud.firestore import FieldFilter

    weeks = Weeks()
    query = (
        firestore.client()
        .collection(COLLECTION)
        .where(filter=FieldFilter("week", ">=", first_week))
        .order_by("week")
    )
    with firestore.errors_mapped():
        for snapshot in query.stream(**firestore.limits()):
            weeks.add(snapshot)
    return weeks


def forget(uid: str, first_week: str) -> None:
    """Takes a user out of all weeks from `first_week` on; raises Conflict if one is recounted."""
    weeks = read(first_week)
    for week, users in list(weeks.users.items()):
        if users.pop(uid, None) is not None:
            weeks.store(week)


def document(week: str, part: int) -> "DocumentReference":
    """Where some of a week's users are stored."""
    return firestore.client().collection(COLLECTION).document(f"{week}-{part:02}")


def fields(week: str, users: Users) -> dict[str, Any]:
    """The document of some users of a week."""
    kept_until = monday_of(week) + timedelta(weeks=KEPT_WEEKS + 1)
    return {
        "week": week,
        "users": pack(users),
        "expires_at": datetime.combine(kept_until, time(), UTC),
    }


def pack(value: Any) -> bytes:
    """`value` as compressed JSON."""
    return zlib.compress(msgspec.json.encode(value))


def unpack(packed: bytes, kind: Any) -> Any:
    """What `pack` was given."""
    return msgspec.json.decode(zlib.decompress(packed), type=kind)


def _get(reference: "DocumentReference") -> "DocumentSnapshot[Any]":
    with firestore.errors_mapped():
        return reference.get(**firestore.limits())
