"""A row of a crawl as an offer of the catalogue, checked as the rows of an upload are."""

from typing import Final

import msgspec

from shared.crawling.results import Row
from shared.errors import ShoppleError
from shared.money import DEFAULT_CURRENCY
from shared.products.upload_rows import UploadRow, parse_rows
from shared.products.upload_text import check_link

# The row's own price is judged apart: none that is wrong may hide what else the row says.
_ANY_PRICE: Final = {"price": 1, "currency": DEFAULT_CURRENCY}


class Refused(ValueError):
    """Why a row cannot become an offer."""


class Found(msgspec.Struct, frozen=True):
    """A row that can be read: what it offers, and what is judged beside its price."""

    number: int
    offer: UploadRow
    unit_price_minor: int | None = None
    unit: str | None = None


def found(number: int, row: Row | None, retailer: str, category: str) -> Found:
    """The row as an offer of `retailer`; raises Refused, as for a line that is no row."""
    if row is None:
        raise Refused("is no row of a result")
    fields = {
        "name": row.name,
        "brand": row.brand or "",
        "size": row.size or "",
        "category": category,
        "retailer": retailer,
        "retailer_sku": row.sku,
        "url": row.url,
        "image": _picture(row.image),
        **_ANY_PRICE,
    }
    try:
        parsed = parse_rows([(number, fields)])
    except ShoppleError as error:
        raise Refused(error.detail) from None
    if parsed.errors:
        raise Refused("; ".join(f"{error.field} {error.message}" for error in parsed.errors))
    offer = msgspec.structs.replace(
        parsed.rows[0], price_minor=row.price_minor, currency=row.currency
    )
    return Found(number, offer, row.unit_price_minor, row.unit)


def _picture(address: str | None) -> str | None:
    """The picture's address, unless it is one that would cost the row its price."""
    if not address or len(address) > _LONGEST_LINK:
        return None
    try:
        check_link(address)
    except ValueError:
        return None
    return address


_LONGEST_LINK: Final = 2000
