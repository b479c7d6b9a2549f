"""What the crawler's endpoints take and answer."""

from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from shared.clock import rfc3339, utc_now
from shared.crawling.models import CrawlJob, Status
from shared.crawling.recipes import Category, Retailer, Site
from shared.edge.pages import Cursor, PageSize

MaxPages = Annotated[int, Meta(ge=1, le=1_000_000)]
MOST_OF_A_GROUP: Final = 100


class RetailerView(Site, frozen=True, kw_only=True):
    """A retailer's recipe as the console reads it."""

    retailer: str
    version: int
    updated_at: str


class RetailerList(msgspec.Struct):
    """Every retailer, in order of name."""

    retailers: list[RetailerView]


class StartCrawl(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One crawl; `force` starts it although the last one was lately."""

    retailer: Retailer
    category: Category
    max_pages: MaxPages | None = None
    force: bool = False


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One crawl of a group."""

    retailer: Retailer
    category: Category
    max_pages: MaxPages | None = None


class StartCrawls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A group of crawls, of which at most `concurrency` run at once."""

    jobs: Annotated[list[Wanted], Meta(min_length=1, max_length=MOST_OF_A_GROUP)]
    concurrency: Annotated[int, Meta(ge=1, le=20)] = 3
    force: bool = False


class Started(msgspec.Struct):
    """A crawl that waits for its pod; `started_at` is when it was ordered."""

    job_id: str
    status: Status
    started_at: str
    retailer: str
    category: str

    @classmethod
    def of(cls, job: CrawlJob) -> "Started":
        """The job as its order is answered."""
        return cls(job.id, job.status, rfc3339(job.created_at), job.retailer, job.category)


class StartedGroup(msgspec.Struct):
    """A group whose first crawls wait for their pods, and the others for a place."""

    group_id: str
    jobs: list[Started]


class JobStatus(msgspec.Struct, omit_defaults=True, kw_only=True):
    """How far a crawl is; `progress` is 0 to 100, and null while nobody knows of how much.

    `note` says what keeps a crawl whose figures stand still.
    """

    job_id: str
    retailer: str
    category: str
    status: Status
    progress: int | None
    pages_done: int
    pages_total: int | None
    products_found: int
    pages_failed: int
    pages_per_second: float | None
    seconds_left: float | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    duration_seconds: float | None
    attempt: int
    version: int
    error: str | None = None
    note: str | None = None
    group_id: str | None = None
    schedule_id: str | None = None

    @classmethod
    def of(cls, job: CrawlJob) -> "JobStatus":
        """The contract's status object of a job."""
        end = job.finished_at or utc_now()
        return cls(
            job_id=job.id,
            retailer=job.retailer,
            category=job.category,
            status=job.status,
            progress=job.percent,
            pages_done=job.pages_done,
            pages_total=job.pages_total,
            products_found=job.products_found,
            pages_failed=job.pages_failed,
            pages_per_second=job.pages_per_second,
            seconds_left=job.seconds_left,
            created_at=rfc3339(job.created_at),
            started_at=_told(job.started_at),
            finished_at=_told(job.finished_at),
            duration_seconds=round((end - job.started_at).total_seconds(), 3)
            if job.started_at
            else None,
            attempt=job.attempt,
            version=job.version,
            error=job.error,
            note=job.note,
            group_id=job.group_id,
            schedule_id=job.schedule_id,
        )


class ListJobs(msgspec.Struct, forbid_unknown_fields=True):
    """Which crawls; newest first."""

    status: Status | None = None
    retailer: Retailer | None = None
    limit: PageSize = 20
    cursor: Cursor | None = None


class JobPage(msgspec.Struct):
    """One page of crawls."""

    jobs: list[JobStatus]
    next_cursor: str | None


def _told(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment is not None else None
