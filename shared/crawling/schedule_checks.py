"""What a schedule must hold for its type, and that there is something to crawl."""

from collections.abc import Iterator
from typing import Final

from shared.config import settings
from shared.crawling import retailers
from shared.crawling.schedule_models import CrawlSchedule
from shared.crawling.schedule_schemas import ScheduleContent
from shared.crawling.slots import Kind, zone_of
from shared.errors import FieldError, Invalid, NotFound

_NEEDED: Final[dict[Kind, tuple[str, ...]]] = {
    "once": ("at",),
    "daily": ("time",),
    "weekly": ("time", "weekday"),
    "interval": ("interval_minutes",),
}
_ALLOWED: Final[dict[Kind, tuple[str, ...]]] = {**_NEEDED, "interval": ("interval_minutes", "at")}
_FIELDS: Final = ("at", "time", "weekday", "interval_minutes")


def check(content: ScheduleContent) -> None:
    """Raises Invalid, naming each field that does not fit the type or names nothing known."""
    errors = [*_timing_errors(content)]
    if not errors:
        errors = [*_target_errors(content)]
    if errors:
        raise Invalid(errors)


def check_future(schedule: CrawlSchedule) -> None:
    """Raises Invalid where a schedule that is to run has no time left to do so."""
    if schedule.enabled and schedule.next_run_at is None:
        raise Invalid.one("at", "lies in the past")


def _timing_errors(content: ScheduleContent) -> Iterator[FieldError]:
    for name in _FIELDS:
        given = getattr(content, name) is not None
        if not given and name in _NEEDED[content.type]:
            yield FieldError(name, f"is needed for the type {content.type}")
        if given and name not in _ALLOWED[content.type]:
            yield FieldError(name, f"means nothing for the type {content.type}")
    least = settings().crawler_gap_minutes
    if content.interval_minutes is not None and content.interval_minutes < least:
        yield FieldError("interval_minutes", f"is less than the {least:g} between two crawls")
    try:
        zone_of(content.timezone)
    except ValueError as error:
        yield FieldError("timezone", str(error))


def _target_errors(content: ScheduleContent) -> Iterator[FieldError]:
    try:
        recipe = retailers.recipe(content.retailer)
    except NotFound:
        yield FieldError("retailer", "there is no recipe for it")
        return
    if content.category not in recipe.start_urls:
        yield FieldError("category", "the retailer's recipe does not name it")
