"""Rules on prices: made, listed and removed.

Each is a document of its own; what deciding needs of them all is a copy in one more, written in
the same commit, so that a task reads one document however many rules and products there are.
"""

import secrets
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.clock import Clock, epoch_micros, rfc3339, utc_now
from shared.edge.pages import newest_first
from shared.edge.request import Actor
from shared.errors import Conflict, NotFound, StaleVersion
from shared.money import to_decimal
from shared.prices import alert_rules
from shared.prices.alert_checks import (
    Amounts,
    checked,
    percent_of,
    shown_address,
    webhook_host,
)
from shared.prices.alert_rules import Rule
from shared.prices.alert_schemas import (
    AlertPage,
    AlertView,
    ListAlerts,
    NewAlert,
    NewAlertView,
)
from shared.system import audit

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, Transaction

COLLECTION: Final = "price_alerts"
COMPILED: Final = "price_alert_rules"
MOST: Final = 500
# Firestore's documents stay small; with names as long as may be, this comes before the number.
MOST_BYTES: Final = 90_000
VERSION: Final = 1


def reference(alert_id: str) -> "DocumentReference":
    """Where a rule is stored."""
    return firestore.client().collection(COLLECTION).document(alert_id)


def rules() -> list[Rule]:
    """Every rule, as far as deciding needs it: one read."""
    with firestore.errors_mapped():
        return _unpacked(_compiled().get(**firestore.limits()).to_dict())


def create(wanted: NewAlert, by: Actor, clock: Clock = utc_now) -> NewAlertView:
    """The new rule; raises Invalid, or Conflict where there are 500 already."""
    amounts = checked(wanted)
    alert_id = secrets.token_hex(10)
    now = clock()
    fields = _fields(wanted, amounts, now)
    rule = _rule(alert_id, fields)

    def run(transaction: "Transaction") -> None:
        known = _unpacked(_compiled().get(transaction=transaction, **firestore.limits()).to_dict())
        text = alert_rules.pack([*known, rule])
        if len(known) >= MOST or len(text.encode()) > MOST_BYTES:
            raise Conflict(f"There are {len(known)} price alerts already; remove one first.")
        transaction.set(_compiled(), {"rules": text})
        transaction.create(reference(alert_id), fields)
        told = _audited(fields)
        transaction.create(*audit.entry(by, f"{COLLECTION}/{alert_id}", None, told, clock))

    firestore.in_transaction(run)
    view = NewAlertView(**msgspec.structs.asdict(_view(alert_id, fields)))
    if wanted.channel == "webhook":
        from shared.clients import webhooks

        view.webhook_secret = webhooks.secret_of(alert_id)
    return view


def remove(alert_id: str, expected: int | None, by: Actor) -> None:
    """Removes the rule, and with it what it has not told yet; raises NotFound, StaleVersion."""

    def run(transaction: "Transaction") -> None:
        fields = reference(alert_id).get(transaction=transaction, **firestore.limits()).to_dict()
        if fields is None:
            raise NotFound("There is no such price alert.")
        if expected not in (None, fields["version"]):
            raise StaleVersion(f"The price alert is at version {fields['version']}.")
        known = _unpacked(_compiled().get(transaction=transaction, **firestore.limits()).to_dict())
        rest = [rule for rule in known if rule.id != alert_id]
        transaction.set(_compiled(), {"rules": alert_rules.pack(rest)})
        transaction.delete(reference(alert_id))
        transaction.create(*audit.entry(by, f"{COLLECTION}/{alert_id}", _audited(fields), None))

    firestore.in_transaction(run)


def read_page(wanted: ListAlerts) -> AlertPage:
    """One page, newest first: its rows' reads; raises BadRequest for a foreign cursor."""
    page = newest_first(firestore.client().collection(COLLECTION), "created_at", wanted, COLLECTION)
    alerts = [_view(row.id, row.to_dict() or {}) for row in page.rows]
    return AlertPage(alerts, page.next_cursor)


def _compiled() -> "DocumentReference":
    return firestore.client().collection(COMPILED).document("all")


def _unpacked(fields: dict[str, Any] | None) -> list[Rule]:
    return alert_rules.unpack(fields["rules"]) if fields else []


def _audited(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields with no more of the webhook than its host: its path may hold a secret."""
    told = {**fields, "webhook_host": webhook_host(fields["webhook_url"])}
    del told["webhook_url"]
    return told


def _fields(wanted: NewAlert, amounts: Amounts, now: datetime) -> dict[str, Any]:
    return {
        "name": wanted.name,
        "product_id": wanted.product_id,
        "category": wanted.category,
        "kind": wanted.kind,
        "quiet_minutes": wanted.quiet_minutes,
        "channel": wanted.channel,
        "webhook_url": wanted.webhook_url,
        **msgspec.structs.asdict(amounts),
        "told": 0,
        "last_told_at": None,
        "created_at": now,
        "version": VERSION,
    }


def _rule(alert_id: str, fields: dict[str, Any]) -> Rule:
    return Rule(
        id=alert_id,
        product_id=fields["product_id"],
        category=fields["category"],
        retailer=fields["retailer"],
        kind=fields["kind"],
        amount=fields["amount"],
        currency=fields["currency"],
        hysteresis=fields["hysteresis"],
        quiet_minutes=fields["quiet_minutes"],
        created_micros=epoch_micros(fields["created_at"]),
        by_webhook=fields["channel"] == "webhook",
    )


def _view(alert_id: str, fields: dict[str, Any]) -> AlertView:
    below = fields["kind"] == "below"
    told_at = fields["last_told_at"]
    return AlertView(
        id=alert_id,
        percent=None if below else percent_of(fields["amount"]),
        price=to_decimal(fields["amount"], fields["currency"]) if below else None,
        hysteresis_percent=percent_of(fields["hysteresis"]),
        last_told_at=rfc3339(told_at) if told_at else None,
        created_at=rfc3339(fields["created_at"]),
        webhook_url=shown_address(fields["webhook_url"]),
        **{name: fields[name] for name in _SHOWN_AS_STORED},
    )


_SHOWN_AS_STORED: Final = (
    *("name", "product_id", "category", "retailer", "kind", "currency", "quiet_minutes"),
    *("channel", "told", "version"),
)
