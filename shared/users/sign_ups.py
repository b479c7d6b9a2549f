"""Who signed up and when, from the users' profiles."""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from shared.clients import firestore
from shared.users.activity_figures import monday_of, week_of
from shared.users.profiles import COLLECTION

if TYPE_CHECKING:
    from google.cloud.firestore import CollectionReference


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
    found = firestore.existing(map(_profiles().document, uids), fields=["created_at"])
    return {each.id: week_of(each.get("created_at").astimezone(UTC).date()) for each in found}


def names(uids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """E-mail and name of each of the users who have a profile."""
    found = firestore.existing(map(_profiles().document, uids), fields=["email", "name"])
    return {each.id: (str(each.get("email")), str(each.get("name"))) for each in found}


def _profiles() -> "CollectionReference":
    return firestore.client().collection(COLLECTION)
