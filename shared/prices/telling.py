"""Sends notifications as one message, and writes down what became of them."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from shared.clients import firestore
from shared.clock import rfc3339, utc_now
from shared.edge.answer import encode
from shared.errors import DependencyRefused
from shared.prices import alert_messages, alerts, notifications, store
from shared.prices.alert_messages import Message, Told

if TYPE_CHECKING:
    from google.cloud.firestore import Transaction

# A failed one may be sent by hand, from its dead letter.
OPEN: Final = ("due", "queued", "failed")

Outcome = Literal["sent", "failed"]
Fields = dict[str, Any]


def send(ids: Sequence[str]) -> None:
    """Sends what of these is still to be sent; raises a ShoppleError as the channel does.

    A channel may be told twice, where it was told and that could not be written down.
    """
    waiting, rules = _waiting(ids)
    told = [
        _told(notification_id, fields, rule)
        for notification_id, fields in waiting.items()
        if (rule := rules.get(fields["alert_id"])) is not None
    ]
    if told:
        told.sort(key=lambda each: (each.timestamp, each.id))
        _post(told, rules[told[0].alert_id])
    _settle(ids, "sent")


def give_up(ids: Sequence[str]) -> None:
    """Marks what of these was not sent as failed."""
    _settle(ids, "failed")


def _post(told: Sequence[Told], rule: Fields) -> None:
    if rule["channel"] == "slack":
        from shared.clients import slack

        if not slack.post(alert_messages.slack_text(told, slack.escape)):
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
            outcome_fields = {"status": status, "due": None, "settled_at": now}
            transaction.update(notifications.reference(notification_id), outcome_fields)
        if outcome == "failed":
            return
        counts = Counter(fields["alert_id"] for fields in waiting.values())
        for alert_id in rules:
            told = {"told": Increment(counts[alert_id]), "last_told_at": now}
            transaction.update(alerts.reference(alert_id), told)

    firestore.in_transaction(run)
