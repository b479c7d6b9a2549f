"""How a retailer's site is crawled, and what one job is asked to do."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

USER_AGENT: Final = "ShoppleBot"

Seconds = Annotated[float, Meta(ge=0, le=600)]
Text = Annotated[str, Meta(min_length=1, max_length=500)]
# A retailer's name is its document's, and the last part of a path.
Retailer = Annotated[
    str, Meta(min_length=1, max_length=100, pattern=r"^[^/\x00-\x1f._][^/\x00-\x1f]*$")
]
Category = Annotated[str, Meta(min_length=1, max_length=100)]
Token = Annotated[int, Meta(ge=1, lt=10**12)]
Starts = Annotated[list[Text], Meta(max_length=20)]


class Fields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a page without structured data says what: `selector`, or `selector@attribute`.

    `was` is the crossed-out price where it stands outside the price's own element, and
    `unit_price` likewise; what `price` holds in <del>, <s> or <strike> is told apart by itself.
    """

    name: Text
    price: Text
    currency: Text | None = None
    size: Text | None = None
    brand: Text | None = None
    image: Text | None = None
    url: Text | None = None
    availability: Text | None = None
    sku: Text | None = None
    was: Text | None = None
    unit_price: Text | None = None


class Listing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a start page and its pagination hold: links to products, to the next page, or cards.

    A card is an element that holds a whole product, read by the recipe's fields.
    """

    products: Text | None = None
    next: Text | None = None
    cards: Text | None = None


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one crawl may take; a delay of robots.txt that is longer than ours counts."""

    delay_seconds: Seconds = 1.0
    at_once: Annotated[int, Meta(ge=1, le=64)] = 4
    attempts: Annotated[int, Meta(ge=1, le=10)] = 3
    backoff_seconds: Seconds = 1.0
    page_seconds: Annotated[float, Meta(gt=0, le=600)] = 20.0
    most_body_bytes: Annotated[int, Meta(ge=1_000, le=50_000_000)] = 5_000_000
    most_pages: Annotated[int, Meta(ge=1, le=1_000_000)] = 10_000
    most_rows: Annotated[int, Meta(ge=1, le=1_000_000)] = 100_000
    most_seconds: Annotated[int, Meta(ge=1, le=6 * 3600)] = 3600


class Site(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one retailer's site is crawled.

    `start_urls` are by category; `javascript` names the beginnings of paths whose pages need a
    browser. `local_origin` opens `http://127.0.0.1:<port>` of a test shop, and only that, and
    only to a pod that was itself told to crawl locally. A crawl whose pod is lost is begun anew
    up to `restarts` times.
    """

    start_urls: Annotated[dict[Category, Starts], Meta(max_length=200)]
    listing: Listing
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] = "LKR"
    fields: Fields | None = None
    structured: bool = True
    obeys_robots: bool = True
    javascript: Annotated[list[Text], Meta(max_length=50)] = []
    limits: Limits = Limits()
    local_origin: Text | None = None
    restarts: Annotated[int, Meta(ge=0, le=5)] = 1


class Recipe(Site, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A site's recipe as a pod reads it: whose it is, and which change of it."""

    retailer: Retailer
    version: Annotated[int, Meta(ge=1)]


class Job(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One crawl of one category; its objects lie under the fencing token of the pod that holds it.

    `max_pages` lowers the recipe's own bound; `seconds` is all the time that the crawl may take.
    """

    job_id: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}$")]
    category: Text
    fencing_token: Token
    max_pages: Annotated[int, Meta(ge=1)] | None = None
    seconds: Annotated[float, Meta(gt=0)] = 3600.0
