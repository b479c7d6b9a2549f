"""Who signed up and when, from the users' profiles."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from shared.clients import firestore
from shared.users.activity_figures import monday_of, week_of
from shared.users.profiles import COLLECTION

if TYPE_CHECKING:
    from google.cloud.firestore import CollectionReference, DocumentSnapshot

BATCH: Final = 300


def total() -> int:
    """How many users there are: one read for each 1,000."""
    with firestore.errors_mapped():
        # A collection counts as a query does.
        return firestore.count(_profiles().order_by("created_at"))


def in_week(week: str) -> int:
    """How many users signed up in the ISO week: one read for each 1,000."""
    from google.cloud.firestore import FieldFilter

    begins_at = datetime.combine(monday_of(week), time(), UTC)
    query = (
        _profiles()
        .where(filter=FieldFilter("created_at", ">=", begins_at))
        .where(filter=FieldFilter("created_at", "<", begins_at + timedelta(weeks=1)))
    )
    with firestore.errors_mapped():
        return firestore.count(query)


def weeks_joined(uids: Iterable[str]) -> dict[str, str]:
    """The week in which each of the users signed up, of those who have a profile."""
    found = _read(uids, ["created_at"])
    return {each.id: week_of(each.get("created_at").astimezone(UTC).date()) for each in found}


def names(uids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """E-mail and name of each of the users who have a profile."""
    found = _read(uids, ["email", "name"])
    return {each.id: (str(each.get("email")), str(each.get("name"))) for each in found}


def _read(uids: Iterable[str], fields: list[str]) -> Iterator["DocumentSnapshot[Any]"]:
    wanted = iter(uids)
    while chosen := [_profiles().document(uid) for uid in islice(wanted, BATCH)]:
        with firestore.errors_mapped():
            found = firestore.client().get_all(chosen, fields, **firestore.limits())
            yield from (snapshot for snapshot in found if snapshot.exists)


def _profiles() -> "CollectionReference":
    return firestore.client().collection(COLLECTION)
