"""What a search takes and answers."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shared.products.schemas import ProductView, Slug

Engine = Literal["lists", "opensearch"]


class SearchProducts(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What is looked for, among active products: another status finds none."""

    q: Annotated[str, Meta(min_length=2, max_length=100)]
    retailer: Slug | None = None
    category: Slug | None = None
    status: Literal["pending", "active", "rejected"] | None = None
    limit: Annotated[int, Meta(ge=1, le=20)] = 10


class SearchResults(msgspec.Struct):
    """The products that answer the query, best first, and what found them."""

    products: list[ProductView]
    engine: Engine
