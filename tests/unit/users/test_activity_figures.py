"""Cohorts, weeks and the most active users, of activity whose figures are known."""

import random
from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.users.activity_figures import (
    ABSENT,
    MOST_DAYS,
    USUAL_DAYS,
    DayFigures,
    Member,
    WeekFigures,
    daily,
    day_figures,
    listed,
    monday_of,
    most_active,
    retention_percent,
    standing,
    week_figures,
    week_of,
    weeks_until,
)

DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))
ABSENCE = [ABSENT] * 7


def member(joined: str | None, *days: int) -> Member:
    return Member(joined, [*days, *ABSENCE][:7])


class TestWeeks:
    @pytest.mark.parametrize(
        ("day", "week"),
        [
            (date(2026, 11, 25), "2026-W48"),
            (date(2026, 12, 27), "2026-W52"),
            # 2026 has a 53rd week, of which the first days of January are the rest.
            (date(2026, 12, 28), "2026-W53"),
            (date(2027, 1, 3), "2026-W53"),
            (date(2027, 1, 4), "2027-W01"),
            # And the last of December may lie in the first week of the next year.
            (date(2024, 12, 29), "2024-W52"),
            (date(2024, 12, 30), "2025-W01"),
        ],
    )
    def test_are_named_as_iso_8601_names_them(self, day: date, week: str) -> None:
        assert week_of(day) == week

    def test_follow_each_other_over_the_end_of_a_year(self) -> None:
        assert weeks_until(date(2027, 1, 6), 4) == ["2026-W51", "2026-W52", "2026-W53", "2027-W01"]
        assert weeks_until(date(2026, 1, 1), 3) == ["2025-W51", "2025-W52", "2026-W01"]

    @given(DAYS)
    def test_begin_on_the_monday_before(self, day: date) -> None:
        monday = monday_of(week_of(day))
        assert monday.weekday() == 0
        assert 0 <= (day - monday).days < 7

    @given(DAYS, DAYS)
    def test_sort_by_name_as_they_do_in_time(self, one: date, other: date) -> None:
        first, second = sorted((one, other))
        assert week_of(first) <= week_of(second)

    @given(DAYS, st.integers(1, 60))
    def test_are_as_many_as_were_asked_for(self, day: date, count: int) -> None:
        weeks = weeks_until(day, count)
        assert len(set(weeks)) == count
        assert weeks == sorted(weeks)
        assert weeks[-1] == week_of(day)


class TestRetention:
    def test_of_a_cohort_over_the_end_of_a_year(self) -> None:
        weeks = {
            "2026-W52": WeekFigures(4, 3, {"2026-W52": 3}),
            "2026-W53": WeekFigures(2, 4, {"2026-W52": 2, "2026-W53": 2}),
            "2027-W01": WeekFigures(0, 2, {"2026-W52": 1, "2026-W53": 1}),
        }
        assert retention_percent("2026-W52", weeks) == [75.0, 50.0, 25.0]
        assert retention_percent("2026-W53", weeks) == [100.0, 50.0]
        assert retention_percent("2027-W01", weeks) == []

    def test_of_users_who_never_came(self) -> None:
        weeks = {"2026-W47": WeekFigures(3, 0, {}), "2026-W48": WeekFigures(0, 0, {})}
        assert retention_percent("2026-W47", weeks) == [0.0, 0.0]

    def test_of_users_who_were_removed_meanwhile_is_never_over_100(self) -> None:
        weeks = {"2026-W47": WeekFigures(2, 3, {"2026-W47": 3})}
        assert retention_percent("2026-W47", weeks) == [100.0]

    def test_rounds_to_a_tenth(self) -> None:
        assert retention_percent("w", {"w": WeekFigures(3, 1, {"w": 1})}) == [33.3]


def test_a_week_counts_each_user_once_and_by_his_cohort() -> None:
    members = [
        member("2026-W40", 0, 3, 1),
        member("2026-W40", ABSENT, 2),
        member("2026-W48", 0),
        # Without a profile: active, but of no cohort.
        member(None, 5),
        # Was taken out of every day of it.
        member("2026-W40"),
    ]
    figures = week_figures(members, 7)
    assert figures == WeekFigures(7, 4, {"2026-W40": 2, "2026-W48": 1})


def test_days_lie_where_they_belong_over_the_end_of_a_year() -> None:
    weeks = {
        "2026-W53": {"a": member(None, 1, 2, 3, 4, 5, 6, 7), "b": member(None, 9)},
        "2027-W01": {"a": member(None, 8)},
    }
    found = daily(weeks, date(2027, 1, 5), 4)
    assert found == {"a": [6, 7, 8, ABSENT], "b": [ABSENT] * 4}
    figures = day_figures(found.values(), 4)
    assert figures == [DayFigures(1, 6), DayFigures(1, 7), DayFigures(1, 8), DayFigures(0, 0)]


def test_a_standing_is_of_the_last_days_alone() -> None:
    days = [4, ABSENT, 0, 2, ABSENT]
    whole, short = standing("a", days, 5), standing("a", days, 3)
    assert (whole.active_days, whole.actions, whole.last_active) == (3, 6, -1)
    assert (short.active_days, short.actions, short.last_active) == (2, 2, -1)
    assert standing("a", days, 1).active_days == 0


def test_the_most_active_come_first() -> None:
    users = {
        "one day": [ABSENT, ABSENT, 90],
        "two days": [0, 0, ABSENT],
        "two later days": [0, ABSENT, 0],
        "two busy days": [1, 0, ABSENT],
        "none": [ABSENT, ABSENT, ABSENT],
    }
    names = [each.uid for each in most_active(users, 3)]
    assert names == ["two busy days", "two later days", "two days", "one day"]
    assert [each.uid for each in most_active(users, 1)] == ["one day", "two later days"]


@pytest.mark.parametrize("seed", range(4))
def test_who_is_listed_is_enough_for_any_number_of_days(seed: int) -> None:
    made_up = random.Random(seed)  # noqa: S311 - test data
    users = {f"u{number}": made_up.choices([ABSENT, 0, 1], k=MOST_DAYS) for number in range(80)}
    chosen = {uid: users[uid] for uid in listed(users, 400)}
    for last_days in range(1, MOST_DAYS + 1):
        assert most_active(chosen, last_days) == most_active(users, last_days)


def test_who_is_listed_has_an_end_and_is_enough_for_the_usual_days() -> None:
    made_up = random.Random(1)  # noqa: S311 - test data
    users = {f"u{number}": made_up.choices([ABSENT, 0, 1], k=MOST_DAYS) for number in range(1000)}
    chosen = listed(users, 300)
    assert len(chosen) == len(set(chosen)) == 300
    for last_days in USUAL_DAYS:
        assert {each.uid for each in most_active(users, last_days)} <= set(chosen)


@given(st.dictionaries(st.text(), st.tuples(DAYS, st.integers(0, 5)), max_size=20), DAYS)
def test_days_are_counted_once_each(seen: dict[str, tuple[date, int]], last: date) -> None:
    weeks: dict[str, dict[str, Member]] = {}
    for uid, (day, actions) in seen.items():
        made = weeks.setdefault(week_of(day), {}).setdefault(uid, member(None))
        made.days[day.weekday()] = actions
    first = last - timedelta(days=MOST_DAYS - 1)
    expected = Counter(day for day, _ in seen.values() if first <= day <= last)
    figures = day_figures(daily(weeks, last, MOST_DAYS).values(), MOST_DAYS)
    assert sum(each.active for each in figures) == expected.total()
