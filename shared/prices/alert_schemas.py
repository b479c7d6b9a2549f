"""What the endpoints of price alerts take and answer."""

from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shared.edge.pages import Cursor, PageSize
from shared.prices.alert_rules import Kind
from shared.prices.schemas import ProductId

Channel = Literal["slack", "webhook"]


class NewAlert(msgspec.Struct, forbid_unknown_fields=True):
    """A rule on one product or on a category's own products, at one retailer or at any.

    `up` and `down` take `percent` (0.01 to 1,000; a fall is less than 100), `below` takes `price`
    with its `currency`: the product's own, or LKR for a category, unless told.
    """

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    kind: Kind
    channel: Channel
    product_id: ProductId | None = None
    category: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    retailer: Annotated[str, Meta(min_length=1, max_length=60)] | None = None
    percent: Decimal | None = None
    price: Decimal | None = None
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] | None = None
    hysteresis_percent: Decimal = Decimal(2)
    quiet_minutes: Annotated[int, Meta(ge=0, le=10_080)] = 60
    webhook_url: Annotated[str, Meta(min_length=1, max_length=1000)] | None = None


class AlertView(msgspec.Struct):
    """One rule; `told` counts the crossings that were delivered.

    Of `webhook_url` only scheme and host are told: https://hooks.example.com/…
    """

    id: str
    name: str
    product_id: str | None
    category: str | None
    retailer: str | None
    kind: Kind
    percent: Decimal | None
    price: Decimal | None
    currency: str | None
    hysteresis_percent: Decimal
    quiet_minutes: int
    channel: Channel
    webhook_url: str | None
    told: int
    last_told_at: str | None
    created_at: str
    version: int


class NewAlertView(AlertView, omit_defaults=True):
    """The rule that was made; `webhook_secret`, which signs its posts, is shown this once."""

    webhook_secret: str | None = None


class ListAlerts(msgspec.Struct, forbid_unknown_fields=True):
    """Which rules, newest first."""

    limit: PageSize = 20
    cursor: Cursor | None = None


class AlertPage(msgspec.Struct):
    """One page of rules."""

    alerts: list[AlertView]
    next_cursor: str | None
