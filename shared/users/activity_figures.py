"""What users' activity comes to: per day, per ISO week of UTC, per cohort and per user.

Rules alone: no I/O and no clock. A week is named as ISO 8601 names it (`2026-W53`), so names
sort as the weeks do.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta
from heapq import nsmallest
from typing import Final

import msgspec

WEEK_DAYS: Final = 7
# What of a user's day says that he was not active: zero is a day with no change of anything.
ABSENT: Final = -1
MOST_DAYS: Final = 90
TOP_USERS: Final = 50
# Times that are asked for most: a list that must end is complete for these.
USUAL_DAYS: Final = (30, 7, 90, 1, 14, 60)


class Member(msgspec.Struct, array_like=True):
    """A user in one week: the week in which he signed up, if known, and his seven days.

    A day is its number of state changes from Monday on, or ABSENT.
    """

    joined: str | None
    days: list[int]


class WeekFigures(msgspec.Struct, array_like=True):
    """One week: who signed up, who was active, and how many of those by the week they joined."""

    signups: int
    active: int
    by_cohort: dict[str, int]


class DayFigures(msgspec.Struct, array_like=True):
    """One day: how many users were active, and their state changes."""

    active: int
    actions: int


class Standing(msgspec.Struct, frozen=True):
    """A user's activity in some last days; it sorts with the most active first."""

    uid: str
    active_days: int
    actions: int
    last_active: int

    def order(self) -> tuple[int, int, int, str]:
        """Most active days first, then most actions, then the latest."""
        return (-self.active_days, -self.actions, -self.last_active, self.uid)


Members = Mapping[str, Member]


def week_of(day: date) -> str:
    """The name of the day's week: the first days of January may lie in the old year's last."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def monday_of(week: str) -> date:
    """The day on which the week begins."""
    year, _, number = week.partition("-W")
    return date.fromisocalendar(int(year), int(number), 1)


def weeks_until(last: date, count: int) -> list[str]:
    """The names of `count` weeks, of which that of `last` is the last."""
    monday = last - timedelta(days=last.weekday())
    return [week_of(monday - timedelta(weeks=back)) for back in reversed(range(count))]


def absent_week() -> list[int]:
    """Seven days without activity."""
    return [ABSENT] * WEEK_DAYS


def week_figures(members: Iterable[Member], signups: int) -> WeekFigures:
    """The week's figures; a user whose profile is gone is active, but of no cohort."""
    figures = WeekFigures(signups, 0, {})
    for member in members:
        if max(member.days) == ABSENT:
            continue
        figures.active += 1
        if member.joined is not None:
            figures.by_cohort[member.joined] = figures.by_cohort.get(member.joined, 0) + 1
    return figures


def retention_percent(cohort: str, weeks: Mapping[str, WeekFigures]) -> list[float]:
    """How many percent of those who signed up in `cohort` were active in it and each week since.

    Empty where nobody signed up. Users who were removed before the week was over are not among
    those who signed up, though they may have been active: never more than 100.
    """
    signups = weeks[cohort].signups
    if not signups:
        return []
    counts = (weeks[week].by_cohort.get(cohort, 0) for week in sorted(weeks) if week >= cohort)
    return [round(min(100.0, 100 * count / signups), 1) for count in counts]


def daily(weeks: Mapping[str, Members], last: date, count: int) -> dict[str, list[int]]:
    """Each user's last `count` days, oldest first."""
    first = last - timedelta(days=count - 1)
    found: dict[str, list[int]] = {}
    for week, members in weeks.items():
        offset = (monday_of(week) - first).days
        for uid, member in members.items():
            days = found.setdefault(uid, [ABSENT] * count)
            for weekday, actions in enumerate(member.days):
                if 0 <= offset + weekday < count:
                    days[offset + weekday] = actions
    return found


def day_figures(users: Collection[list[int]], count: int) -> list[DayFigures]:
    """The figures of each of `count` days, from each user's days."""
    figures = [DayFigures(0, 0) for _ in range(count)]
    for days in users:
        for day, actions in zip(figures, days, strict=True):
            if actions != ABSENT:
                day.active += 1
                day.actions += actions
    return figures


def standing(uid: str, days: list[int], last_days: int) -> Standing:
    """What the user did in the last of his days; `last_active` counts back from 0, the last."""
    present = [(at, actions) for at, actions in enumerate(days[-last_days:]) if actions != ABSENT]
    return Standing(
        uid=uid,
        active_days=len(present),
        actions=sum(actions for _, actions in present),
        last_active=present[-1][0] - last_days + 1 if present else -last_days,
    )


def most_active(users: Mapping[str, list[int]], last_days: int) -> list[Standing]:
    """The most active users of the last days, at most 50."""
    standings = (standing(uid, days, last_days) for uid, days in users.items())
    present = [each for each in standings if each.active_days]
    return nsmallest(TOP_USERS, present, key=Standing.order)


def listed(users: Mapping[str, list[int]], most: int) -> list[str]:
    """Whoever is among the most active of any number of last days, at most `most` users.

    Beyond that those are left out who are so in none of the usual numbers of days.
    """
    tops = [[each.uid for each in top] for top in _tops(users)]
    chosen = [tops[last_days - 1] for last_days in USUAL_DAYS] + tops
    return list(dict.fromkeys(uid for top in chosen for uid in top))[:most]


def _tops(users: Mapping[str, list[int]]) -> Iterator[list[Standing]]:
    """The most active users of the last day, of the last two, and so on up to 90."""
    known: dict[str, Standing] = {}
    for back in range(1, MOST_DAYS + 1):
        for uid, days in users.items():
            if days[-back] != ABSENT:
                before = known.get(uid) or Standing(uid, 0, 0, 1 - back)
                known[uid] = Standing(
                    uid, before.active_days + 1, before.actions + days[-back], before.last_active
                )
        yield nsmallest(TOP_USERS, known.values(), key=Standing.order)
