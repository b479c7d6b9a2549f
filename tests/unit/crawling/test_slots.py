"""When schedules are due: each day's slot once, whatever the clocks do, and never two."""

import random
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise, takewhile
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from cronsim import CronSim

from shared.crawling.schedule_models import AHEAD, CrawlSchedule
from shared.crawling.slots import Timing, cron_of, cron_says, next_slot, zone_of

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 1_000
# Half an hour's change, changes at midnight, and none at all among them.
ZONES = (
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Beirut",
    "America/Santiago",
    "Asia/Colombo",
)


def timing(kind: Any, **more: Any) -> Timing:
    return Timing(**{"type": kind, "timezone": "Asia/Colombo", "anchor": START, **more})


def slots(of: Timing, after: datetime = START) -> Iterator[datetime]:
    while (slot := next_slot(of, after)) is not None:
        yield slot
        after = slot


def first(of: Timing, after: str) -> str:
    slot = next_slot(of, datetime.fromisoformat(after).astimezone(UTC))
    assert slot is not None
    return f"{slot:%Y-%m-%dT%H:%M}"


@pytest.mark.parametrize("clock", ["00:30", "02:15"])
@pytest.mark.parametrize("zone", ZONES)
def test_a_thousand_days_have_a_slot_each(zone: str, clock: str) -> None:
    daily = timing("daily", timezone=zone, time=clock)
    found = list(islice(slots(daily), DAYS))
    days = [slot.astimezone(ZoneInfo(zone)).date() for slot in found]

    assert days == [days[0] + timedelta(days=each) for each in range(DAYS)]
    # cronsim has the same rule, and none of our code.
    hour, minute = clock.split(":")
    local = CronSim(f"{int(minute)} {int(hour)} * * *", START.astimezone(ZoneInfo(zone)))
    assert found == [each.astimezone(UTC) for each in islice(local, DAYS)]


@pytest.mark.parametrize("zone", ZONES)
def test_a_thousand_days_have_a_slot_in_each_week(zone: str) -> None:
    weekly = timing("weekly", timezone=zone, time="02:30", weekday=6)
    found = list(islice(slots(weekly), DAYS // 7))
    days = [slot.astimezone(ZoneInfo(zone)).date() for slot in found]

    assert {day.weekday() for day in days} == {6}
    assert {(b - a).days for a, b in pairwise(days)} == {7}


@pytest.mark.parametrize("minutes", [240, 250, 1440, 10_000])
def test_a_thousand_days_of_an_interval_are_time_that_passes(minutes: int) -> None:
    each = timing("interval", timezone="Europe/London", interval_minutes=minutes)
    expected = DAYS * 24 * 60 // minutes

    assert list(islice(slots(each), expected)) == [
        START + timedelta(minutes=minutes * number) for number in range(1, expected + 1)
    ]


def test_a_thousand_days_have_one_slot_of_a_schedule_that_runs_once() -> None:
    once = timing("once", at=datetime(2026, 3, 29, 1, 30), timezone="Europe/London")  # noqa: DTZ001

    # That half hour does not exist there.
    assert list(slots(once)) == [datetime(2026, 3, 29, 1, 0, tzinfo=UTC)]


def test_an_interval_may_say_where_it_begins() -> None:
    at = datetime(2026, 2, 1, 3, 0)  # noqa: DTZ001 - a local time
    each = timing("interval", at=at, interval_minutes=360)

    assert first(each, "2026-01-01T00:00Z") == "2026-01-31T21:30"
    assert first(each, "2026-01-31T21:30Z") == "2026-02-01T03:30"


@pytest.mark.parametrize(
    ("zone", "clock", "after", "slot"),
    [
        # What does not exist is the first moment after the jump.
        ("Europe/London", "01:30", "2026-03-28T12:00Z", "2026-03-29T01:00"),
        ("America/New_York", "02:30", "2026-03-07T12:00Z", "2026-03-08T07:00"),
        ("Australia/Lord_Howe", "02:10", "2026-10-03T03:00Z", "2026-10-03T15:30"),
        # What comes twice is the first of the two.
        ("Europe/London", "01:30", "2026-10-24T12:00Z", "2026-10-25T00:30"),
        ("America/New_York", "01:30", "2026-10-31T12:00Z", "2026-11-01T05:30"),
        ("Australia/Lord_Howe", "01:45", "2026-04-04T03:00Z", "2026-04-04T14:45"),
    ],
)
def test_days_on_which_clocks_change(zone: str, clock: str, after: str, slot: str) -> None:
    daily = timing("daily", timezone=zone, time=clock)
    assert first(daily, after) == slot
    due = next_slot(daily, datetime.fromisoformat(after))
    assert due is not None
    assert not cron_says(daily, due)
    later = next_slot(daily, due)
    assert later is not None
    assert cron_says(daily, later)
    assert later - due > timedelta(hours=20)


@pytest.mark.parametrize(
    ("of", "said"),
    [
        (timing("daily", time="03:05"), ("5 3 * * *", "Asia/Colombo")),
        (timing("weekly", time="23:00", weekday=6), ("0 23 * * 0", "Asia/Colombo")),
        (timing("weekly", time="23:00", weekday=0), ("0 23 * * 1", "Asia/Colombo")),
        (timing("interval", interval_minutes=480), ("0 0,8,16 * * *", "Etc/UTC")),
        (timing("interval", interval_minutes=1440), ("0 0 * * *", "Etc/UTC")),
        (timing("interval", interval_minutes=20), ("0,20,40 * * * *", "Etc/UTC")),
        (timing("interval", interval_minutes=250), None),
        (timing("interval", interval_minutes=10_080), None),
        (timing("once", at=START), None),
    ],
)
def test_what_cron_can_say(of: Timing, said: tuple[str, str] | None) -> None:
    cron = cron_of(of)
    assert (None if cron is None else (cron.schedule, cron.time_zone)) == said
    if cron is not None:
        expected = list(islice(slots(of), 100))
        named = islice(CronSim(cron.schedule, START.astimezone(ZoneInfo(cron.time_zone))), 100)
        assert [each.astimezone(UTC) for each in named] == expected
        assert all(cron_says(of, slot) for slot in expected)


@pytest.mark.parametrize(
    "name", ["", "Mars/Base", "Asia", "../etc/passwd", "x\0y", "asia/colombo/"]
)
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        zone_of(name)


def made(timing: Timing) -> CrawlSchedule:
    at = None if timing.at is None else timing.at.isoformat()
    schedule = CrawlSchedule(
        **{name: getattr(timing, name) for name in ("type", "timezone", "time", "weekday")},
        id="s",
        name="s",
        retailer="r",
        category="c",
        enabled=True,
        at=at,
        interval_minutes=timing.interval_minutes,
        anchor=START,
        next_run_at=None,
        created_by="u",
        created_at=START,
        updated_at=START,
    )
    return msgspec.structs.replace(schedule, next_run_at=schedule.slot_after(START))


def expected(timing: Timing) -> list[datetime]:
    """Every slot of a thousand days, by other means than ours."""
    end = START + timedelta(days=DAYS)
    if timing.type == "once":
        return [START + timedelta(days=500)]
    if timing.type == "interval":
        step = timedelta(minutes=timing.interval_minutes or 0)
        return [START + step * number for number in range(1, (end - START) // step + 1)]
    cron = cron_of(timing)
    assert cron is not None
    local = CronSim(cron.schedule, START.astimezone(ZoneInfo(timing.timezone)))
    return list(takewhile(lambda slot: slot <= end, (each.astimezone(UTC) for each in local)))


KIND_OF = itemgetter("type")
KINDS = (
    {"type": "once", "at": START + timedelta(days=500)},
    {"type": "daily", "time": "01:30"},
    {"type": "weekly", "time": "02:10", "weekday": 6},
    {"type": "interval", "interval_minutes": 1430},
)


@pytest.mark.parametrize("zone", ZONES[:3])
@pytest.mark.parametrize("more", KINDS, ids=KIND_OF)
def test_a_thousand_days_of_calls_that_come_run_each_slot_once(zone: str, more: Any) -> None:
    each = timing(more["type"], **{**more, "timezone": zone})
    slots_expected = expected(each)
    # Calls come twice, a little early or late, from cron's wrong hours, and out of the blue.
    offsets = (-7_200, -4, 0.5, 40, 3_600)
    calls = sorted(slot + timedelta(seconds=o) for slot in slots_expected for o in offsets)
    assert [slot for slot, _ in served(made(each), calls)] == slots_expected


@pytest.mark.parametrize("zone", ZONES[:3])
@pytest.mark.parametrize("more", KINDS, ids=KIND_OF)
def test_a_thousand_days_of_calls_by_chance_run_each_slot_as_soon_as_one_comes(
    zone: str, more: Any
) -> None:
    each = timing(more["type"], **{**more, "timezone": zone})
    slots_expected, late, swallowed = expected(each), 0, 0
    for seed in range(3):
        calls = by_chance(slots_expected, seed)
        ran = served(made(each), calls)
        # Each slot is one run's and no other's: its own, or that of an earlier one that was missed.
        spans = [(slot, max(slot, now)) for slot, now in ran]
        covered = [slots_between(slots_expected, *span) for span in spans]
        assert [slot for run in covered for slot in run] == slots_expected
        last = -1
        for slot, now in ran:
            # It began with the first call that was left for it.
            last = bisect_left(calls, slot - AHEAD, last + 1)
            assert calls[last] == now
        late += sum(now - slot > timedelta(minutes=1) for slot, now in ran)
        swallowed += len(slots_expected) - len(ran)
    assert late
    assert (swallowed > 0) == (more["type"] != "once")


def by_chance(slots: list[datetime], seed: int) -> list[datetime]:
    """Calls around some of the slots, one or several, early or late; at last one for all."""
    chance = random.Random(seed)  # noqa: S311 - the same calls each time
    # None until the next slot's, too, and in an outage none for several.
    ways = ((-4.0, 5.0), (0.0, 60.0), (60.0, 3_000.0), (3_600.0, 80_000.0), (-7_200.0, -6.0))
    calls = [slots[-1] + timedelta(days=1)]
    for slot in slots:
        for low, high in chance.sample(ways, chance.choice((0, 0, 1, 1, 2, 3))):
            calls.append(slot + timedelta(seconds=chance.uniform(low, high)))
    return sorted(calls)


def served(schedule: CrawlSchedule, calls: list[datetime]) -> list[tuple[datetime, datetime]]:
    """The slots that ran, each with the call that began it."""
    ran = []
    for now in calls:
        if (slot := schedule.due(now)) is not None:
            ran.append((slot, now))
            following = schedule.next_after(slot, now)
            schedule = msgspec.structs.replace(schedule, next_run_at=following)
    return ran


def slots_between(slots: list[datetime], first: datetime, last: datetime) -> list[datetime]:
    return slots[bisect_left(slots, first) : bisect_right(slots, last)]


def test_slots_that_passed_meanwhile_are_one_run_and_a_moved_one_is_left_alone() -> None:
    schedule = made(timing("daily", time="03:00"))
    slot = schedule.next_run_at
    assert slot is not None
    late = slot + timedelta(days=3, hours=5)
    assert schedule.due(late) == slot
    assert schedule.next_after(slot, late) == slot + timedelta(days=4)
    moved = msgspec.structs.replace(schedule, next_run_at=late)
    assert moved.next_after(slot, slot) == late
