"""How notifications read: a text for Slack, a body for webhooks."""

from collections.abc import Callable, Sequence
from decimal import Decimal

import msgspec

from shared.money import to_decimal
from shared.prices.alert_rules import Kind


class Told(msgspec.Struct, frozen=True):
    """One crossing as a webhook is told of it; receivers drop an `id` that they know already.

    `compared_with` is the price before, or the limit that the price fell below.
    """

    id: str
    alert_id: str
    alert: str
    kind: Kind
    product_id: str
    product: str
    retailer: str
    price: Decimal
    compared_with: Decimal
    currency: str
    change_percent: float
    timestamp: str


class Message(msgspec.Struct, frozen=True):
    """What a webhook is sent."""

    id: str
    alerts: list[Told]


def change_percent(price_minor: int, before_minor: int) -> float:
    """How far the price is from what it is compared with, in percent."""
    return round((price_minor - before_minor) * 100 / before_minor, 2)


def money(minor: int, currency: str) -> Decimal:
    """An amount as webhooks are told of it."""
    return to_decimal(minor, currency)


def slack_text(told: Sequence[Told], escape: Callable[[str], str], *, again: bool = False) -> str:
    """A line for each crossing below a heading; `escape` is for what others wrote.

    `again` says that an earlier message may have told some of them already.
    """
    heading = "*Price alert*" if len(told) == 1 else f"*{len(told)} price alerts*"
    notes = ["_Perhaps told before: an attempt ended before it was recorded._"] if again else []
    return "\n".join([heading, *notes, *(_line(each, escape) for each in told)])


def _line(told: Told, escape: Callable[[str], str]) -> str:
    where = f"{escape(told.product)} at {escape(told.retailer)}"
    price, other = (f"{told.currency} {a:,}" for a in (told.price, told.compared_with))
    if told.kind == "below":
        what = f"costs {price}, below {other}"
    else:
        verb = "rose" if told.kind == "up" else "fell"
        what = f"{verb} by {abs(told.change_percent):g} % from {other} to {price}"
    return f"• {where} {what} ({escape(told.alert)})"
