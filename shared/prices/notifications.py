"""Notifications: what is to be told, each written once and then owed until it is delivered.

A crossing's notification has an id of its own, made of the rule, the product, the retailer and the
moment: whoever creates it first is the only one, however often a change is looked at.
"""

import hashlib
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore, tasks
from shared.clock import epoch_micros, from_epoch_micros, utc_now
from shared.errors import Conflict, NotFound
from shared.prices import store
from shared.prices.alert_rules import Crossing, Rule
from shared.prices.background_schemas import GatherNotifications, SendNotifications
from shared.products import outbox

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, DocumentSnapshot

COLLECTION: Final = "notifications"
# Longer than a price can be news, so that none is told again because it was forgotten.
KEPT: Final = timedelta(days=90)
QUEUE: Final = "notifications"
GATHER: Final = "gather_notifications"
SEND: Final = "send_notifications"
SLACK: Final = "slack"
# What becomes due within so long is one message, of so many notifications at most.
WINDOW_SECONDS: Final = 5
MOST_IN_MESSAGE: Final = 50
BATCH: Final = 200
ATTEMPTS: Final = 5


class Notice(msgspec.Struct, frozen=True):
    """A crossing of a product's price, and the rule that it is told by."""

    rule: Rule
    product_id: str
    product: str
    crossing: Crossing

    @property
    def id(self) -> str:
        """The notification's id, the same whenever the crossing is found."""
        found = self.crossing
        known_by = (self.rule.id, self.product_id, found.retailer, found.currency, found.at_micros)
        return _digest(map(str, known_by))

    @property
    def channel(self) -> str:
        """Where it is told: each webhook is a channel of its own."""
        return self.rule.id if self.rule.by_webhook else SLACK


def reference(notification_id: str) -> "DocumentReference":
    """Where a notification is stored."""
    return firestore.client().collection(COLLECTION).document(notification_id)


def record(notices: Sequence[Notice]) -> None:
    """Writes those that are new, each with its channel owed in the same commit.

    Raises Conflict where others write the same all the time, or a DependencyError.
    """
    for at in range(0, len(notices), BATCH):
        some = {notice.id: notice for notice in notices[at : at + BATCH]}
        for channel in sorted(_recorded(some)):
            request_gathering(channel)


def request_gathering(channel: str) -> None:
    """Has what is due gathered at the end of the present window; raises a DependencyError."""
    window = int(time.time()) // WINDOW_SECONDS + 1
    body = msgspec.json.encode(GatherNotifications(channel))
    delay = max(0.0, window * WINDOW_SECONDS - time.time())
    tasks.enqueue(QUEUE, GATHER, body, name=f"{channel}-{window}", delay_seconds=delay)


def gather(channel: str) -> None:
    """Makes messages of what is due in a channel, each a task; raises to be called again."""
    debt = outbox.document("notification", channel)
    with firestore.errors_mapped():
        owed = debt.get(**firestore.limits())
    while page := _due(channel):
        ids = sorted(snapshot.id for snapshot in page)
        # By name, so that gathering twice makes one task of the same notifications.
        body = msgspec.json.encode(SendNotifications(ids))
        tasks.enqueue(QUEUE, SEND, body, name=f"send-{_digest(ids)}")
        _mark_queued(page)
    if owed.exists:
        unchanged = firestore.client().write_option(last_update_time=owed.update_time)
        # More became due meanwhile, and whoever wrote it has it gathered.
        with suppress(Conflict, NotFound), firestore.errors_mapped():
            debt.delete(option=unchanged, **firestore.limits())


def message_id(ids: Iterable[str]) -> str:
    """The id of a message of these notifications, the same at each attempt."""
    return _digest(sorted(ids))


def _recorded(notices: dict[str, Notice]) -> set[str]:
    """Creates what is not there yet; says in which channels something is due."""
    references = [reference(notification_id) for notification_id in notices]
    for _ in range(ATTEMPTS):
        found = {path.rpartition("/")[2]: f for path, f in store.read_all(references).items()}
        new = {key: notice for key, notice in notices.items() if key not in found}
        waiting = {str(fields["due"]) for fields in found.values() if fields["due"]}
        if not new:
            return waiting
        try:
            _create(new)
        except Conflict:
            # The same crossing was found by another task as well.
            continue
        return waiting | {notice.channel for notice in new.values()}
    raise Conflict("The notifications are being written by others.")


def _create(notices: dict[str, Notice]) -> None:
    now = utc_now()
    batch = firestore.client().batch()
    for notification_id, notice in notices.items():
        batch.create(reference(notification_id), _fields(notice))
    for channel in {notice.channel for notice in notices.values()}:
        owed = outbox.fields("notification", channel, epoch_micros(now))
        batch.set(outbox.document("notification", channel), owed)
    with firestore.errors_mapped():
        batch.commit(**firestore.limits())


def _fields(notice: Notice) -> dict[str, Any]:
    found = notice.crossing
    now = utc_now()
    return {
        "alert_id": notice.rule.id,
        "product_id": notice.product_id,
        "product": notice.product,
        "retailer": found.retailer,
        "currency": found.currency,
        "price_minor": found.price_minor,
        "before_minor": found.before_minor,
        "at": from_epoch_micros(found.at_micros),
        "channel": notice.channel,
        "due": notice.channel,
        "status": "due",
        "created_at": now,
        "expires_at": now + KEPT,
    }


def _due(channel: str) -> list["DocumentSnapshot[Any]"]:
    from google.cloud.firestore import FieldFilter

    query = firestore.client().collection(COLLECTION)
    only = query.where(filter=FieldFilter("due", "==", channel)).limit(MOST_IN_MESSAGE)
    with firestore.errors_mapped():
        return list(only.stream(**firestore.limits()))


def _mark_queued(page: Iterable["DocumentSnapshot[Any]"]) -> None:
    database = firestore.client()
    batch = database.batch()
    for snapshot in page:
        unchanged = database.write_option(last_update_time=snapshot.update_time)
        batch.update(snapshot.reference, {"due": None, "status": "queued"}, option=unchanged)
    # Where one was sent already, the next page no longer holds it.
    with suppress(Conflict, NotFound), firestore.errors_mapped():
        batch.commit(**firestore.limits())


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:20]
