"""Sends notifications as one message, and writes down what became of them."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from shared.clients import firestore
from shared.clock import Clock, rfc3339, utc_now
from shared.edge.answer import encode
from shared.errors import DependencyRefused, DependencyUnavailable, ShoppleError
from shared.prices import alert_messages, alerts, notifications, store
from shared.prices.alert_messages import Message, Told

if TYPE_CHECKING:
    from google.cloud.firestore import Transaction

# A failed one may be sent by hand, from its dead letter.
OPEN: Final = ("due", "queued", "failed")

Outcome = Literal["sent", "failed"]
Fields = dict[str, Any]

# Longer than a call may take; a claim that is older was left behind.
CLAIM_LIFETIME: Final = timedelta(minutes=3)


class _Claim(msgspec.Struct, frozen=True):
    """What this call tells, and the rules that there still are; `others` tell the rest."""

    waiting: dict[str, Fields]
    rules: dict[str, Fields]
    again: bool
    others: bool


def send(ids: Sequence[str], clock: Clock = utc_now) -> None:
    """Sends what of these is still to be sent; raises a ShoppleError as the channel does.

    Each is claimed before, so of two calls at once one tells it; the other raises, to look again.
    A claim that a crash left behind gives way, and the message says that it may be the second.
    """
    claim = _claim(ids, clock)
    told = [
        _told(notification_id, fields, rule)
        for notification_id, fields in claim.waiting.items()
        if (rule := claim.rules.get(fields["alert_id"])) is not None
    ]
    if told:
        told.sort(key=lambda each: (each.timestamp, each.id))
        try:
            _post(told, claim.rules[told[0].alert_id], again=claim.again)
        except ShoppleError:
            with suppress(ShoppleError):
                _release(claim)
            raise
    _settle(list(claim.waiting), "sent")
    if claim.others:
        raise DependencyUnavailable("Another call is telling some of these.")


def give_up(ids: Sequence[str]) -> None:
    """Marks what of these was not sent as failed."""
    _settle(ids, "failed")


def _claim(ids: Sequence[str], clock: Clock) -> _Claim:
    def run(transaction: "Transaction") -> _Claim:
        now = clock()
        waiting, rules = _waiting(ids, transaction)
        free = {key: f for key, f in waiting.items() if not _is_claimed(f, now)}
        for notification_id in free:
            reference = notifications.reference(notification_id)
            transaction.update(reference, {"claimed_at": now})
        again = any(fields.get("claimed_at") for fields in free.values())
        return _Claim(free, rules, again, len(free) < len(waiting))

    return firestore.in_transaction(run)


def _is_claimed(fields: Fields, now: datetime) -> bool:
    claimed_at = fields.get("claimed_at")
    return claimed_at is not None and bool(claimed_at > now - CLAIM_LIFETIME)


def _release(claim: _Claim) -> None:
    """What was refused may be tried again at once."""
    batch = firestore.client().batch()
    for notification_id in claim.waiting:
        batch.update(notifications.reference(notification_id), {"claimed_at": None})
    with firestore.errors_mapped():
        batch.commit(**firestore.limits())


def _post(told: Sequence[Told], rule: Fields, *, again: bool) -> None:
    if rule["channel"] == "slack":
        from shared.clients import slack

        if not slack.post(alert_messages.slack_text(told, slack.escape, again=again)):
            raise DependencyRefused("No Slack channel is set: SLACK_WEBHOOK_URL.")
        return
    from shared.clients import webhooks

    message = Message(notifications.message_id(each.id for each in told), list(told))
    webhooks.post(rule["webhook_url"], told[0].alert_id, message.id, encode(message))


def _waiting(
    ids: Sequence[str], transaction: "Transaction | None" = None
) -> tuple[dict[str, Fields], dict[str, Fields]]:
    """The notifications that are not told yet, and the rules that there still are, by id."""
    found = _by_id(store.read_all(map(notifications.reference, ids), transaction))
    waiting = {key: fields for key, fields in found.items() if fields["status"] in OPEN}
    wanted = {str(fields["alert_id"]) for fields in waiting.values()}
    return waiting, _by_id(store.read_all(map(alerts.reference, sorted(wanted)), transaction))


def _by_id(found: store.Found) -> dict[str, Fields]:
    return {path.rpartition("/")[2]: fields for path, fields in found.items()}


def _told(notification_id: str, fields: Fields, rule: Fields) -> Told:
    currency = fields["currency"]
    return Told(
        id=notification_id,
        alert_id=fields["alert_id"],
        alert=rule["name"],
        kind=rule["kind"],
        product_id=fields["product_id"],
        product=fields["product"],
        retailer=fields["retailer"],
        price=alert_messages.money(fields["price_minor"], currency),
        compared_with=alert_messages.money(fields["before_minor"], currency),
        currency=currency,
        change_percent=alert_messages.change_percent(fields["price_minor"], fields["before_minor"]),
        timestamp=rfc3339(fields["at"]),
    )


def _settle(ids: Sequence[str], outcome: Outcome) -> None:
    """Writes the outcome once; what a removed rule has not told is dropped."""
    from google.cloud.firestore import Increment

    def run(transaction: "Transaction") -> None:
        waiting, rules = _waiting(ids, transaction)
        now = utc_now()
        for notification_id, fields in waiting.items():
            status = outcome if fields["alert_id"] in rules else "dropped"
            outcome_fields = {"status": status, "due": None, "settled_at": now, "claimed_at": None}
            transaction.update(notifications.reference(notification_id), outcome_fields)
        if outcome == "failed":
            return
        counts = Counter(fields["alert_id"] for fields in waiting.values())
        for alert_id in rules:
            told = {"told": Increment(counts[alert_id]), "last_told_at": now}
            transaction.update(alerts.reference(alert_id), told)

    firestore.in_transaction(run)
