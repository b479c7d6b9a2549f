"""What the endpoints of results and of quarantined prices take and answer."""

from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shared.crawling.ingestion.models import Held
from shared.crawling.models import Status
from shared.edge.pages import Cursor, PageSize

RetailerName = Annotated[str, Meta(min_length=1, max_length=100)]


class IngestCrawl(msgspec.Struct):
    """A job that ended, whose rows are due."""

    job_id: str


class ResultsQuery(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Which results, newest first."""

    retailer: RetailerName | None = None
    limit: PageSize = 20
    cursor: Cursor | None = None


class ResultView(msgspec.Struct):
    """A job that ended, and what became of its rows.

    `status` is the job's, `ingestion` how far its rows are. `link` leads to the rows for 15
    minutes; a job without a result has none.
    """

    job_id: str
    retailer: str
    category: str
    status: Status
    ingestion: Literal["pending", "running", "done", "failed"]
    whole: bool | None
    rows: int | None
    pages_done: int
    pages_failed: int
    errors: int
    new: int
    changed: int
    unchanged: int
    quarantined: int
    failed: int
    refused: list[str]
    error: str | None
    finished_at: str
    size_bytes: int | None
    link: str | None
    link_expires_at: str | None


class ResultsPage(msgspec.Struct):
    """One page of results."""

    results: list[ResultView]
    next_cursor: str | None


class QuarantineQuery(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Which quarantined prices, newest first; those that wait unless told."""

    status: Held = "open"
    limit: PageSize = 20
    cursor: Cursor | None = None


class QuarantinedProduct(msgspec.Struct):
    """Whose price it is; without `id` the catalogue did not know the product."""

    id: str | None
    name: str
    url: str | None


class QuarantineView(msgspec.Struct):
    """A price that is kept apart, why, and what the product cost then."""

    id: str
    job_id: str
    retailer: str
    product: QuarantinedProduct
    price: Decimal
    currency: str
    previous_price: Decimal | None
    previous_currency: str | None
    reason: str
    status: Held
    found_at: str
    decided_by: str | None
    decided_at: str | None
    version: int


class QuarantinePage(msgspec.Struct):
    """One page of quarantined prices."""

    quarantined: list[QuarantineView]
    next_cursor: str | None


class QuarantineDecision(msgspec.Struct, forbid_unknown_fields=True):
    """Whether the price is true."""

    decision: Literal["release", "discard"]
