"""When a schedule is due: pure rules, for any time zone and across changes of its clocks.

A local time that does not exist, since clocks jump over it, is the first moment after the jump; one
that comes twice is the first of the two. So a day has one slot, whatever its clocks do. An interval
is time that passes, and knows no clocks.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Final, Literal
from zoneinfo import ZoneInfo

import msgspec

Kind = Literal["once", "daily", "weekly", "interval"]

DAY_MINUTES: Final = 24 * 60
HOUR_MINUTES: Final = 60
# A slot may have moved to the next day at most, and a week has seven.
_DAYS_SEARCHED: Final = 10


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """When a schedule runs: `at` for once, `time` for daily and weekly, minutes for an interval.

    `at` is a local time of `timezone` unless it says its offset; an interval counts from it, else
    from `anchor`. `time` is "HH:MM", and `weekday` is 0 for Monday to 6 for Sunday.
    """

    type: Kind
    timezone: str
    anchor: datetime
    at: datetime | None = None
    time: str | None = None
    weekday: int | None = None
    interval_minutes: int | None = None


class Cron(msgspec.Struct, frozen=True):
    """What Cloud Scheduler is told."""

    schedule: str
    time_zone: str


@cache
def zone_of(name: str) -> ZoneInfo:
    """The IANA time zone of that name; raises ValueError."""
    try:
        return ZoneInfo(name)
    # A name of a folder, or one that no file can have.
    except (KeyError, OSError, ValueError):
        raise ValueError(f"{name!r} is no time zone, such as Asia/Colombo.") from None


def next_slot(timing: Timing, after: datetime) -> datetime | None:
    """The first slot later than `after`, in UTC; None once there is none."""
    if timing.type == "once":
        slot = start_of(timing)
        return slot if slot > after else None
    if timing.type == "interval":
        return _next_interval(timing, after)
    zone = zone_of(timing.timezone)
    day = after.astimezone(zone).date() - timedelta(days=1)
    for _ in range(_DAYS_SEARCHED):
        if timing.type == "daily" or day.weekday() == timing.weekday:
            slot = _moment(day, timing, zone)
            if slot > after:
                return slot
        day += timedelta(days=1)
    raise AssertionError("every week has each of its days")


def start_of(timing: Timing) -> datetime:
    """The minute that `at` names, which is the first slot, else that of the anchor."""
    at = (timing.at or timing.anchor).replace(second=0, microsecond=0)
    if at.tzinfo is not None:
        return at.astimezone(UTC)
    return resolved(at, zone_of(timing.timezone))


def resolved(local: datetime, zone: ZoneInfo) -> datetime:
    """The moment in UTC of a local time, by the rule above."""
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if _exists(local, zone):
        return first
    # The jump lies between what the offsets after and before it make of the time.
    jump, later = local.replace(tzinfo=zone, fold=1).astimezone(UTC), first
    before = jump.astimezone(zone).utcoffset()
    while later - jump > timedelta(seconds=1):
        middle = jump + (later - jump) // 2
        if middle.astimezone(zone).utcoffset() == before:
            jump = middle
        else:
            later = middle
    return later.replace(microsecond=0)


def cron_of(timing: Timing) -> Cron | None:
    """The schedule in cron's words; None where it has none for it."""
    if timing.type == "interval":
        return _interval_cron(timing)
    if timing.time is None:
        return None
    clock = time.fromisoformat(timing.time)
    # Cron's Sunday is 0.
    days = "*" if timing.weekday is None else str((timing.weekday + 1) % 7)
    return Cron(f"{clock.minute} {clock.hour} * * {days}", timing.timezone)


def cron_says(timing: Timing, slot: datetime) -> bool:
    """Whether cron names that slot and no other for it: it has no rule for changed clocks."""
    if cron_of(timing) is None:
        return False
    if timing.time is None:
        return True
    local = slot.astimezone(zone_of(timing.timezone))
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f"{local:%H:%M}" == timing.time and not twice


def _exists(local: datetime, zone: ZoneInfo) -> bool:
    there = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return there.astimezone(zone).replace(tzinfo=None) == local


def _moment(day: date, timing: Timing, zone: ZoneInfo) -> datetime:
    return resolved(datetime.combine(day, time.fromisoformat(timing.time or "00:00")), zone)


def _next_interval(timing: Timing, after: datetime) -> datetime:
    first, step = start_of(timing), timedelta(minutes=timing.interval_minutes or DAY_MINUTES)
    if timing.at is None:
        # It counts from when it was made, and that moment is no slot.
        first += step
    if first > after:
        return first
    return first + ((after - first) // step + 1) * step


def _interval_cron(timing: Timing) -> Cron | None:
    minutes, first = timing.interval_minutes or DAY_MINUTES, start_of(timing)
    if HOUR_MINUTES % minutes == 0:
        each = range(first.minute % minutes, HOUR_MINUTES, minutes)
        return Cron(f"{','.join(map(str, each))} * * * *", "Etc/UTC")
    if minutes % HOUR_MINUTES == 0 and DAY_MINUTES % minutes == 0:
        hours = minutes // HOUR_MINUTES
        each = range(first.hour % hours, 24, hours)
        return Cron(f"{first.minute} {','.join(map(str, each))} * * *", "Etc/UTC")
    return None
