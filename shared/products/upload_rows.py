"""An upload turned into rows that may be stored, and errors that name what may not."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from shared.errors import TooLarge
from shared.money import DEFAULT_CURRENCY, to_minor
from shared.products.currencies import CURRENCIES
from shared.products.models import Product, Status
from shared.products.price_text import parse_price
from shared.products.slug import slug
from shared.products.upload_columns import field_of
from shared.products.upload_text import amount_of, cell_text, check_link

MAX_ROWS: Final = 10_000
_MAX_IGNORED: Final = 100
_MAX_COLUMN_NAME: Final = 100

_LIMITS: Final = {
    "name": 300,
    "retailer": 60,
    "brand": 100,
    "size": 60,
    "category": 100,
    "retailer_sku": 100,
    "currency": 3,
    "url": 2000,
    "image": 2000,
    "description": 5000,
}
_LINKS: Final = ("url", "image")


class UploadRow(msgspec.Struct, frozen=True):
    """One row that may be stored; `row` counts from 1 without the header.

    `own_address` is of a page or picture, where others in its file have the same name.
    """

    row: int
    name: str
    brand: str
    size: str
    category: str
    retailer: str
    retailer_sku: str | None
    url: str | None
    image: str | None
    description: str | None
    price_minor: int
    currency: str
    own_address: str | None = None

    def product(self, product_id: str, status: Status, now: datetime) -> Product:
        """The first version of a product that the row offers."""
        offered = msgspec.structs.asdict(self)
        del offered["row"], offered["own_address"]
        return Product(
            id=product_id, status=status, version=1, created_at=now, updated_at=now, **offered
        )


class RowError(msgspec.Struct, frozen=True):
    """Why a row is refused; `field` is empty where the row as a whole is meant."""

    row: int
    field: str
    message: str


class RefusedRow(msgspec.Struct, frozen=True):
    """A row whose source could not make a record of it."""

    message: str


class ParsedUpload(msgspec.Struct, frozen=True):
    """What an upload holds: valid rows, errors of the others, columns that nothing reads."""

    rows: tuple[UploadRow, ...]
    errors: tuple[RowError, ...]
    ignored: list[str]
    total: int


def parse_products(products: Sequence[object], *, default_retailer: str = "") -> ParsedUpload:
    """The rows of decoded JSON; raises TooLarge beyond 10,000."""
    return parse_rows(enumerate(products, start=1), default_retailer=default_retailer)


def parse_rows(
    numbered: Iterable[tuple[int, object]], *, default_retailer: str = ""
) -> ParsedUpload:
    """The rows of any source, each with its number; raises TooLarge beyond 10,000."""
    rows: list[UploadRow] = []
    errors: list[RowError] = []
    ignored: dict[str, None] = {}
    total = 0
    for number, raw in numbered:
        total += 1
        if total > MAX_ROWS:
            raise TooLarge(f"An upload holds at most {MAX_ROWS:,} rows.")
        if not isinstance(raw, Mapping):
            message = raw.message if isinstance(raw, RefusedRow) else "must be an object"
            errors.append(RowError(number, "", message))
            continue
        reader = _RowReader(number, raw, default_retailer)
        row = reader.read()
        ignored.update(dict.fromkeys(reader.ignored))
        errors.extend(reader.errors)
        if row is not None and not reader.errors:
            rows.append(row)
    names = list(ignored)[:_MAX_IGNORED]
    return ParsedUpload(tuple(rows), tuple(errors), names, total)


def is_blank(value: object) -> bool:
    """Whether a cell holds nothing."""
    return value is None or (isinstance(value, str) and not value.strip())


class _RowReader:
    """Reads one row, gathering every error instead of stopping at the first."""

    def __init__(self, number: int, raw: Mapping[object, object], default_retailer: str) -> None:
        self.errors: list[RowError] = []
        self.ignored: list[str] = []
        self._number = number
        self._values: dict[str, object] = {}
        for column, value in raw.items():
            field = field_of(str(column))
            if field is None:
                self.ignored.append(cell_text(str(column))[:_MAX_COLUMN_NAME])
            elif is_blank(self._values.get(field)):
                self._values[field] = value
        if is_blank(self._values.get("retailer")):
            self._values["retailer"] = default_retailer

    def read(self) -> UploadRow | None:
        """The row, which counts only if `errors` stays empty."""
        text = {field: self._text(field) for field in _LIMITS}
        price_minor, currency = self._price(text["currency"])
        for link in _LINKS:
            self._check_link(link, text[link])
        return UploadRow(
            row=self._number,
            name=self._required("name", text["name"]),
            brand=text["brand"],
            size=text["size"],
            category=self._slug("category", text["category"]),
            retailer=self._slug("retailer", self._required("retailer", text["retailer"])),
            retailer_sku=text["retailer_sku"] or None,
            url=text["url"] or None,
            image=text["image"] or None,
            description=text["description"] or None,
            price_minor=price_minor,
            currency=currency,
        )

    def _refuse(self, field: str, message: str) -> None:
        self.errors.append(RowError(self._number, field, message))

    def _refused(self, field: str) -> bool:
        return any(error.field == field for error in self.errors)

    def _text(self, field: str) -> str:
        try:
            text = cell_text(self._values.get(field), lines=field == "description")
        except ValueError as error:
            self._refuse(field, str(error))
            return ""
        if len(text) > _LIMITS[field]:
            self._refuse(field, f"must have at most {_LIMITS[field]:,} characters")
            return ""
        return text

    def _required(self, field: str, text: str) -> str:
        if not text and not self._refused(field):
            self._refuse(field, "is required")
        return text

    def _slug(self, field: str, text: str) -> str:
        """The text as it names a document: a slash, say, would name another one."""
        name = slug(text)
        if text and not name:
            self._refuse(field, "must hold a letter or a digit")
        elif len(name) > _LIMITS[field]:
            self._refuse(field, f"must have at most {_LIMITS[field]} characters")
        return name

    def _check_link(self, field: str, text: str) -> None:
        try:
            if text:
                check_link(text)
        except ValueError as error:
            self._refuse(field, str(error))

    def _price(self, currency_text: str) -> tuple[int, str]:
        known = currency_text.upper() or None
        if known is not None and known not in CURRENCIES:
            self._refuse("currency", "must be a code of ISO 4217, such as LKR")
            known = None
        value = self._values.get("price")
        if is_blank(value):
            self._refuse("price", "is required")
            return 0, DEFAULT_CURRENCY
        try:
            if isinstance(value, str):
                amount, stated = parse_price(cell_text(value), known)
            else:
                amount, stated = amount_of(value), None
            currency = known or stated or DEFAULT_CURRENCY
            return to_minor(amount, currency), currency
        except ValueError as error:
            self._refuse("price", str(error))
            return 0, DEFAULT_CURRENCY
