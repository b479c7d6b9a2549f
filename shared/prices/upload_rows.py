"""The rows of a price upload: each is read by itself, and one that is bad is named."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, get_args

import msgspec

from shared.prices.models import Source
from shared.prices.moments import parse_moment
from shared.products.currencies import CURRENCIES
from shared.products.price_text import parse_price
from shared.products.slug import slug
from shared.products.upload_rows import is_blank
from shared.products.upload_text import amount_of, cell_text

KNOWN: Final = (
    "product_id",
    "price",
    "retailer",
    "timestamp",
    "source",
    "currency",
    "confirmed",
)
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
CLOCK_SKEW: Final = timedelta(minutes=5)
MAX_RETAILER: Final = 60
MAX_IGNORED: Final = 100
MAX_COLUMN_NAME: Final = 100
_PRODUCT_ID: Final = re.compile("[0-9A-Za-z][0-9A-Za-z_-]{0,127}")
_SOURCES: Final[Mapping[str, Source]] = {name: name for name in get_args(Source)}


class PriceRow(msgspec.Struct, frozen=True):
    """One row that can be read; `row` counts from 1, `timed` says that it named its moment."""

    row: int
    product_id: str
    amount: Decimal
    currency: str | None
    retailer: str
    at: datetime
    timed: bool
    source: Source
    confirmed: bool


class Refused(ValueError):
    """Why a row is not read, and which of its fields is to blame."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def ignored_columns(rows: Sequence[object]) -> list[str]:
    """The columns of all rows that nothing reads, as far as a hundred."""
    columns = {str(name): None for row in rows if isinstance(row, Mapping) for name in row}
    unknown = [cell_text(name)[:MAX_COLUMN_NAME] for name in columns if name not in KNOWN]
    return unknown[:MAX_IGNORED]


def read_row(number: int, raw: object, now: datetime) -> PriceRow:
    """The row, whose moment is `now` unless it names another; raises Refused."""
    if not isinstance(raw, Mapping):
        raise Refused("", "must be an object")
    amount, currency = _price(raw)
    at = _moment(raw, now)
    return PriceRow(
        row=number,
        product_id=_product_id(raw),
        amount=amount,
        currency=currency,
        retailer=_retailer(raw),
        at=at or now,
        timed=at is not None,
        source=_source(raw),
        confirmed=_confirmed(raw),
    )


def _text(raw: Mapping[str, object], field: str) -> str:
    value = raw.get(field)
    if value is not None and not isinstance(value, str):
        raise Refused(field, "must be text")
    return cell_text(value)


def _required(raw: Mapping[str, object], field: str) -> str:
    text = _text(raw, field)
    if not text:
        raise Refused(field, "is required")
    return text


def _product_id(raw: Mapping[str, object]) -> str:
    text = _required(raw, "product_id")
    if _PRODUCT_ID.fullmatch(text) is None:
        raise Refused("product_id", "is not the id of a product")
    return text


def _retailer(raw: Mapping[str, object]) -> str:
    name = slug(_required(raw, "retailer"))
    if not name:
        raise Refused("retailer", "must hold a letter or a digit")
    if len(name) > MAX_RETAILER:
        raise Refused("retailer", f"must have at most {MAX_RETAILER} characters")
    return name


def _source(raw: Mapping[str, object]) -> Source:
    source = _SOURCES.get(_required(raw, "source"))
    if source is None:
        raise Refused("source", f"must be one of {', '.join(_SOURCES)}")
    return source


def _confirmed(raw: Mapping[str, object]) -> bool:
    value = raw.get("confirmed")
    if value is not None and not isinstance(value, bool):
        raise Refused("confirmed", "must be true or false")
    return bool(value)


def _moment(raw: Mapping[str, object], now: datetime) -> datetime | None:
    text = _text(raw, "timestamp")
    if not text:
        return None
    try:
        moment = parse_moment(text)
    except ValueError as error:
        raise Refused("timestamp", str(error)) from None
    if moment > now + CLOCK_SKEW:
        raise Refused("timestamp", "lies in the future")
    if moment < EARLIEST:
        raise Refused("timestamp", f"lies before {EARLIEST:%Y}")
    return moment


def _price(raw: Mapping[str, object]) -> tuple[Decimal, str | None]:
    known = _text(raw, "currency").upper() or None
    if known is not None and known not in CURRENCIES:
        raise Refused("currency", "must be a code of ISO 4217, such as LKR")
    value = raw.get("price")
    if is_blank(value):
        raise Refused("price", "is required")
    try:
        if isinstance(value, str):
            amount, stated = parse_price(cell_text(value), known)
        else:
            amount, stated = amount_of(value), None
    except ValueError as error:
        raise Refused("price", str(error)) from None
    if amount <= 0:
        raise Refused("price", "must be above zero")
    return amount, known or stated
