"""A schedule as it is stored, and the slots that were taken."""

from datetime import datetime, timedelta
from typing import Any, Final, Literal

import msgspec

from shared.crawling.slots import Kind, Timing, next_slot

# What became of the last slot where no job tells it: it came too soon after another run of the same
# retailer and category, or no job could be started for it.
Outcome = Literal["started", "skipped", "failed"]


# How far Google's clock may be ahead of ours.
AHEAD: Final = timedelta(seconds=5)


class CrawlSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """When one category of one retailer is crawled.

    `next_run_at` is the slot that was not taken yet, and None while the schedule is paused or has
    no more. `undriven` says that Cloud Scheduler or Cloud Tasks may not know of the last change.
    """

    id: str
    name: str
    retailer: str
    category: str
    enabled: bool
    type: Kind
    timezone: str
    at: str | None
    time: str | None
    weekday: int | None
    interval_minutes: int | None
    anchor: datetime
    next_run_at: datetime | None
    last_run_at: datetime | None = None
    last_outcome: Outcome | None = None
    last_job_id: str | None = None
    undriven: bool = True
    created_by: str
    created_at: datetime
    updated_at: datetime
    version: int = 1

    @property
    def timing(self) -> Timing:
        """What its slots follow from."""
        return Timing(
            type=self.type,
            timezone=self.timezone,
            anchor=self.anchor,
            at=None if self.at is None else datetime.fromisoformat(self.at),
            time=self.time,
            weekday=self.weekday,
            interval_minutes=self.interval_minutes,
        )

    def due(self, now: datetime) -> datetime | None:
        """The slot that has come and was not taken yet, if there is one."""
        slot = self.next_run_at
        return slot if slot is not None and slot <= now + AHEAD else None

    def next_after(self, slot: datetime, now: datetime) -> datetime | None:
        """The slot that follows one that is settled; slots that passed meanwhile are that run's."""
        if self.next_run_at != slot:
            # Moved or paused since it was taken.
            return self.next_run_at
        return self.slot_after(max(now, slot))

    def slot_after(self, now: datetime) -> datetime | None:
        """The next slot that it is to run at; None while it is paused."""
        return next_slot(self.timing, now) if self.enabled else None


def slot_key(schedule_id: str, slot: datetime) -> str:
    """The one name of a slot of a schedule."""
    return f"{schedule_id}-{int(slot.timestamp())}"


def to_document(schedule: CrawlSchedule) -> dict[str, Any]:
    """The schedule's fields in Firestore."""
    fields = msgspec.structs.asdict(schedule)
    del fields["id"]
    return fields


def from_document(schedule_id: str, fields: dict[str, Any]) -> CrawlSchedule:
    """The schedule in a document's fields."""
    return CrawlSchedule(id=schedule_id, **{name: fields[name] for name in _STORED})


_STORED: Final = tuple(name for name in CrawlSchedule.__struct_fields__ if name != "id")
