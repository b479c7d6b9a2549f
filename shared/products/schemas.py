"""What the catalogue's endpoints take and answer."""

from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shared.clock import rfc3339
from shared.config import settings
from shared.edge.pages import Cursor, PageSize
from shared.money import DEFAULT_CURRENCY, to_decimal
from shared.products.models import Product, Status
from shared.products.picture_reading import WIDTHS

Sort = Literal[
    "created_at", "-created_at", "updated_at", "-updated_at", "name", "-name", "price", "-price"
]
Slug = Annotated[str, Meta(min_length=1, max_length=100)]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$")]
PICTURE_WIDTHS = tuple(map(str, WIDTHS))


class ProductView(msgspec.Struct, omit_defaults=True):
    """One product as the dashboard reads it.

    `images` holds links to the stored picture by width; where links are time-limited, only
    answers of a single product have them. `group_id` and `primary` are there for offers that were
    merged: the group, and whether this one speaks for it.
    """

    id: str
    name: str
    brand: str
    size: str
    category: str
    retailer: str
    price: Decimal
    currency: str
    status: Status
    version: int
    created_at: str
    updated_at: str
    retailer_sku: str | None = None
    url: str | None = None
    image: str | None = None
    images: dict[str, str] | None = None
    description: str | None = None
    group_id: str | None = None
    primary: bool | None = None


def view(product: Product) -> ProductView:
    """The product with its price as a decimal and its times as text."""
    images = _lasting_links(product.picture)
    return ProductView(
        id=product.id,
        name=product.name,
        brand=product.brand,
        size=product.size,
        category=product.category,
        retailer=product.retailer,
        price=to_decimal(product.price_minor, product.currency),
        currency=product.currency,
        status=product.status,
        version=product.version,
        created_at=rfc3339(product.created_at),
        updated_at=rfc3339(product.updated_at),
        retailer_sku=product.retailer_sku,
        url=product.url,
        image=images[PICTURE_WIDTHS[1]] if images else product.image,
        images=images,
        description=product.description,
        group_id=product.group_id,
        primary=product.primary,
    )


def _lasting_links(picture: str | None) -> dict[str, str] | None:
    base = settings().image_base_url
    if picture is None or base is None:
        return None
    return {width: f"{base}/pictures/{picture}/{width}.webp" for width in PICTURE_WIDTHS}


class ProductFilter(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Which products a list or an export holds; without a status, the active ones."""

    retailer: Slug | None = None
    category: Slug | None = None
    status: Status | None = None
    q: Annotated[str, Meta(min_length=2, max_length=100)] | None = None


class ListProducts(ProductFilter, forbid_unknown_fields=True, kw_only=True):
    """One page of a list, by number or by cursor."""

    page: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    limit: PageSize = 20
    cursor: Cursor | None = None
    sort: Sort = "-created_at"


class ProductPage(msgspec.Struct, omit_defaults=True):
    """One page; `total_is_minimum`: a filter's count stopped at 1,000, or a search is not over."""

    products: list[ProductView]
    total: int
    page: int | None
    pages: int
    next_cursor: str | None
    total_is_minimum: bool = False


class ProductStatistics(msgspec.Struct):
    """How many products there are; `last_updated` is the newest change that is counted."""

    total: int
    by_retailer: dict[str, int]
    by_category: dict[str, int]
    last_updated: str | None


class ProductChange(msgspec.Struct, forbid_unknown_fields=True):
    """The fields that may be edited; PUT replaces them all."""

    name: Annotated[str, Meta(min_length=1, max_length=300)]
    price: Decimal
    brand: Annotated[str, Meta(max_length=100)] = ""
    size: Annotated[str, Meta(max_length=60)] = ""
    category: Annotated[str, Meta(max_length=100)] = ""
    url: Annotated[str, Meta(max_length=2000, pattern="^(https?://[^ ]+)?$")] | None = None
    description: Annotated[str, Meta(max_length=5000)] | None = None
    currency: Currency = DEFAULT_CURRENCY


class EvidenceView(msgspec.Struct):
    """What one field says about a match; 50 and all weights are the confidence."""

    field: str
    verdict: str
    detail: str
    weight: int


class MatchView(msgspec.Struct):
    """Another product that is thought to be the same."""

    product: ProductView
    confidence: int
    evidence: list[EvidenceView]


class MatchList(msgspec.Struct):
    """The matches of one product, surest first."""

    matches: list[MatchView]
