"""What a new rule on prices may say: each refusal names its field."""

from decimal import Decimal
from typing import Final
from urllib.parse import urlsplit

import msgspec

from shared.clients import firestore
from shared.config import settings
from shared.errors import Invalid
from shared.money import DEFAULT_CURRENCY, to_minor
from shared.prices.alert_schemas import NewAlert
from shared.products import catalogue
from shared.products.currencies import CURRENCIES
from shared.products.slug import slug

HUNDREDTHS: Final = 100
MOST_PERCENT: Final = 1000
WHOLE_PERCENT: Final = 100


class Amounts(msgspec.Struct, frozen=True):
    """What a rule compares with: `amount` in hundredths of a percent, or minor units if below."""

    amount: int
    hysteresis: int
    currency: str | None
    retailer: str | None


def checked(wanted: NewAlert) -> Amounts:
    """The rule's amounts, once everything it names is known to exist; raises Invalid."""
    own_currency = _check_subject(wanted)
    _check_channel(wanted)
    retailer = None if wanted.retailer is None else slug(wanted.retailer)
    if retailer == "":
        raise Invalid.one("retailer", "must hold a letter or a digit")
    most = MOST_PERCENT if wanted.kind == "up" else WHOLE_PERCENT
    hysteresis = _hundredths("hysteresis_percent", wanted.hysteresis_percent, WHOLE_PERCENT)
    if wanted.kind == "below":
        amount, currency = _limit(wanted, own_currency)
        return Amounts(amount, hysteresis, currency, retailer)
    for field in ("price", "currency"):
        if getattr(wanted, field) is not None:
            raise Invalid.one(field, "is only for alerts below a price")
    if wanted.percent is None:
        raise Invalid.one("percent", f"is required for alerts of kind {wanted.kind}")
    amount = _hundredths("percent", wanted.percent, most)
    if amount == 0 or (wanted.kind == "down" and amount >= WHOLE_PERCENT * HUNDREDTHS):
        raise Invalid.one("percent", f"must be above 0 and, for a fall, below {WHOLE_PERCENT}")
    return Amounts(amount, hysteresis, None, retailer)


def percent_of(hundredths: int) -> Decimal:
    """Hundredths of a percent as a decimal without needless zeros."""
    return Decimal(f"{Decimal(hundredths) / HUNDREDTHS:f}")


def webhook_host(url: str | None) -> str | None:
    """The host that an address names."""
    return None if url is None else urlsplit(url).hostname


def shown_address(url: str | None) -> str | None:
    """What of an address may be read: its path may hold a secret, as those of chats do."""
    if url is None:
        return None
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…"


def _check_subject(wanted: NewAlert) -> str | None:
    """The product's own currency, where the rule names one."""
    if wanted.product_id is not None and wanted.category is not None:
        raise Invalid.one("category", "must be left out beside product_id")
    if wanted.category is not None:
        catalogue.check_category(wanted.category)
        return None
    if wanted.product_id is None:
        raise Invalid.one("product_id", "is required, or else category")
    with firestore.errors_mapped():
        product = catalogue.reference(wanted.product_id).get(**firestore.limits()).to_dict()
    if product is None or not product["listed"]:
        raise Invalid.one("product_id", "is not the id of a product")
    return str(product["currency"])


def _limit(wanted: NewAlert, own_currency: str | None) -> tuple[int, str]:
    if wanted.percent is not None:
        raise Invalid.one("percent", "must be left out for alerts below a price")
    if wanted.price is None:
        raise Invalid.one("price", "is required for alerts of kind below")
    currency = wanted.currency or own_currency or DEFAULT_CURRENCY
    if currency not in CURRENCIES:
        raise Invalid.one("currency", "must be a code of ISO 4217, such as LKR")
    if own_currency not in (None, currency):
        raise Invalid.one("currency", f"must be the product's own, {own_currency}")
    try:
        amount = to_minor(wanted.price, currency)
    except ValueError as error:
        raise Invalid.one("price", str(error)) from None
    if amount == 0:
        raise Invalid.one("price", "must be above zero")
    return amount, currency


def _hundredths(field: str, percent: Decimal, most: int) -> int:
    if not percent.is_finite() or not 0 <= percent <= most:
        raise Invalid.one(field, f"must be between 0 and {most}")
    if percent != round(percent, 2):
        raise Invalid.one(field, "must have at most two decimals")
    return int(percent * HUNDREDTHS)


def _check_channel(wanted: NewAlert) -> None:
    if wanted.channel == "slack":
        if wanted.webhook_url is not None:
            raise Invalid.one("webhook_url", "must be left out for Slack")
        return
    if wanted.webhook_url is None:
        raise Invalid.one("webhook_url", "is required for the channel webhook")
    if not wanted.webhook_url.startswith("https://") and not settings().fetch_loopback:
        raise Invalid.one("webhook_url", "must begin with https://")
    from shared.clients import guarded_http

    guarded_http.check_address(wanted.webhook_url, "webhook_url")
