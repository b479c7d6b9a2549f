"""The days on which users were active, as the edge notes them, and what they changed then."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from shared.clients import firestore
from shared.edge.activity import COLLECTION
from shared.system import audit

if TYPE_CHECKING:
    from google.cloud.firestore import Query

PARALLEL_COUNTS: Final = 8
BATCH: Final = 400


def first_day() -> date | None:
    """The first day of which anything is known: one read."""
    days = firestore.client().collection(COLLECTION).order_by("day").limit(1)
    with firestore.errors_mapped():
        for snapshot in days.stream(**firestore.limits()):
            return date.fromisoformat(snapshot.get("day"))
    return None


def active_on(day: date) -> list[str]:
    """Who was active on that day: one read for each."""
    days = _where("day", day.isoformat()).select(["uid"])
    with firestore.errors_mapped():
        found = days.stream(**firestore.limits(firestore.LONG_TIMEOUT_SECONDS))
        return [str(snapshot.get("uid")) for snapshot in found]


def actions_on(day: date, uids: Iterable[str]) -> dict[str, int]:
    """How many changes each of the users made on that day.

    From the audit trail, which has an entry for each: a read per user and 1,000 entries.
    """
    begins_at = datetime.combine(day, time(), UTC)
    queries = {uid: _changes(uid, begins_at) for uid in uids}
    count = partial(firestore.count, timeout_seconds=firestore.LONG_TIMEOUT_SECONDS)
    with firestore.errors_mapped(), ThreadPoolExecutor(PARALLEL_COUNTS) as pool:
        return dict(zip(queries, pool.map(count, queries.values()), strict=True))


def forget(uid: str) -> None:
    """Removes all of a user's days; raises a DependencyError."""
    firestore.delete_all(_where("uid", uid), BATCH)


def _where(field: str, value: str) -> "Query":
    from google.cloud.firestore import FieldFilter

    days = firestore.client().collection(COLLECTION)
    return days.where(filter=FieldFilter(field, "==", value))


def _changes(uid: str, begins_at: datetime) -> "Query":
    from google.cloud.firestore import FieldFilter

    return (
        firestore.client()
        .collection(audit.COLLECTION)
        .where(filter=FieldFilter("actor", "==", uid))
        .where(filter=FieldFilter("at", ">=", begins_at))
        .where(filter=FieldFilter("at", "<", begins_at + timedelta(days=1)))
        # As the trail's own index has it.
        .order_by("at", direction="DESCENDING")
    )
