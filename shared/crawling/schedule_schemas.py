"""What the endpoints and tasks of schedules take and answer."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from shared.clock import rfc3339
from shared.crawling.schedule_models import CrawlSchedule
from shared.crawling.slots import Kind
from shared.edge.pages import Cursor, PageSize

Clock = Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]
# A year: who wants more wants a date.
MOST_MINUTES = 525_600


class ScheduleContent(msgspec.Struct, forbid_unknown_fields=True):
    """A schedule; PUT replaces all of it.

    `once` wants `at`, `daily` a `time`, `weekly` a `time` and a `weekday` (0 is Monday), `interval`
    its `interval_minutes` and, where it shall not count from now, `at`. An `at` without an offset
    is a local time of `timezone`.
    """

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    retailer: Annotated[str, Meta(min_length=1, max_length=100)]
    category: Annotated[str, Meta(min_length=1, max_length=500)]
    type: Kind
    timezone: Annotated[str, Meta(min_length=1, max_length=64)]
    at: datetime | None = None
    time: Clock | None = None
    weekday: Annotated[int, Meta(ge=0, le=6)] | None = None
    interval_minutes: Annotated[int, Meta(ge=1, le=MOST_MINUTES)] | None = None
    enabled: bool = True


class ListSchedules(msgspec.Struct, forbid_unknown_fields=True):
    """Which page of the schedules."""

    limit: PageSize = 100
    cursor: Cursor | None = None


class ScheduleView(msgspec.Struct):
    """One schedule; `last_status` is its last job's, or `skipped` or `failed` where none began."""

    id: str
    name: str
    retailer: str
    category: str
    type: Kind
    timezone: str
    at: str | None
    time: str | None
    weekday: int | None
    interval_minutes: int | None
    enabled: bool
    next_run_at: str | None
    last_run_at: str | None
    last_status: str | None
    last_job_id: str | None
    version: int
    created_at: str
    updated_at: str


class SchedulePage(msgspec.Struct):
    """One page, newest first."""

    schedules: list[ScheduleView]
    next_cursor: str | None


class RunCrawlSchedule(msgspec.Struct):
    """The schedule that may be due."""

    schedule_id: str


def view(schedule: CrawlSchedule, job_status: str | None = None) -> ScheduleView:
    """The schedule with its times as text, and its last job's status where that is known."""
    told: dict[str, Any] = {
        name: getattr(schedule, name, None) for name in ScheduleView.__struct_fields__
    }
    moments = ("next_run_at", "last_run_at", "created_at", "updated_at")
    for name in moments:
        moment = getattr(schedule, name)
        told[name] = None if moment is None else rfc3339(moment)
    return ScheduleView(**{**told, "last_status": job_status or schedule.last_outcome})
