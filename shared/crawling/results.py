"""What a crawl hands over: rows, and the manifest that makes them count."""

from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from shared.crawling.recipes import Job

# Beyond these the manifest only counts: it is read whole.
MOST_ERRORS: Final = 1_000

# Far beyond any crawl, far within what JSON's readers and Firestore hold exactly. A pod reads
# strangers' pages: what takes it over must not tell figures that no document can store.
MOST: Final = 10**12
MOST_MINOR: Final = 2**53
Count = Annotated[int, Meta(ge=0, le=MOST)]
Minor = Annotated[int, Meta(ge=-MOST_MINOR, le=MOST_MINOR)]
Amount = Annotated[float, Meta(ge=0, le=MOST)]
Detail = Annotated[str, Meta(max_length=500)]
Short = Annotated[str, Meta(max_length=100)]

Availability = Literal["in_stock", "limited", "preorder", "out_of_stock"]
Source = Literal["json-ld", "microdata", "css"]
Ending = Literal["completed", "stopped", "page_limit", "row_limit", "time_over", "failed"]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One product of one page; amounts in minor units of `currency`, texts as the page has them."""

    url: str
    name: str
    price_minor: Minor
    currency: Short
    source: Source
    was_minor: Minor | None = None
    unit_price_minor: Minor | None = None
    unit: Short | None = None
    size: str | None = None
    brand: str | None = None
    image: str | None = None
    sku: str | None = None
    availability: Availability | None = None


class PageError(msgspec.Struct, frozen=True):
    """A page that gave nothing: `kind` for counting, `message` for people."""

    url: str
    kind: str
    message: str
    attempts: int = 1


class Counts(msgspec.Struct):
    """Pages by outcome, products, and products that were met again under another address."""

    pages_known: Count = 0
    pages_done: Count = 0
    pages_failed: Count = 0
    pages_disallowed: Count = 0
    products: Count = 0
    duplicates: Count = 0


class StoredRows(msgspec.Struct, frozen=True):
    """The object that holds the rows: NDJSON in gzip, `sha256` of the object as it lies there."""

    name: Detail
    size_bytes: Count
    sha256: Short
    rows: Count


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What one pod found; `whole` says whether the crawl saw all that it knew of.

    A crawl that came to its end without one page that could be read has failed.
    """

    job_id: str
    fencing_token: int
    retailer: str
    category: str
    recipe_version: int
    started_at: datetime
    finished_at: datetime
    ending: Ending
    whole: bool
    counts: Counts
    rows: StoredRows
    errors: list[PageError]
    errors_total: Count
    detail: Detail | None = None


class Progress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far a crawl is: `seconds_left` is None while that cannot be known.

    `pages_done` holds the failed ones too; while it is `growing`, lists are unread. `note` says
    what keeps the crawl, where the figures do not.
    """

    pages_done: Count
    pages_known: Count
    products_found: Count
    pages_per_second: Amount
    seconds_left: Amount | None
    pages_failed: Count = 0
    growing: bool = False
    note: Detail | None = None


def folder(job: Job) -> str:
    """Where the objects of the pod that holds this token lie."""
    return f"crawls/{job.job_id}/{job.fencing_token:012d}"


def rows_name(job: Job, mark: str) -> str:
    """The object of the rows; `mark` is each pod's own, and the manifest names the object."""
    return f"{folder(job)}/rows-{mark}.ndjson.gz"


def manifest_name(job: Job) -> str:
    """The object that is written last, and once: without it nothing in the folder counts."""
    return f"{folder(job)}/manifest.json"
