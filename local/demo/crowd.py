"""Forty people who signed up over the last twelve weeks, with what they did since.

They are profiles without an account: nobody signs in as one of them. What is written is what the
recounts of these weeks would have left.
"""

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import msgspec

from shared.edge import activity
from shared.users import activity_weeks, insights, profiles
from shared.users.activity_figures import Member, absent_week, week_of

PEOPLE: Final = 40
DAYS: Final = 84
SEED: Final = 20260101
# Fewer work at the weekend.
WEEKDAYS: Final = (1.0, 1.0, 0.95, 1.0, 0.9, 0.35, 0.15)
_FIRST: Final = ("Amaya", "Dinesh", "Ishara", "Kavindu", "Malini", "Nuwan", "Sanduni", "Tharindu")
_LAST: Final = ("Perera", "Silva", "Fernando", "Jayasinghe", "Bandara")

Write = tuple[str, dict[str, Any]]


def crowd(now: datetime) -> Iterator[Write]:
    """Profiles, weeks and today's activity as documents, from which a recount takes the rest."""
    chance = random.Random(SEED)  # noqa: S311 - the same people each time
    today = now.date()
    weeks: dict[str, activity_weeks.Users] = defaultdict(dict)
    for number in range(PEOPLE):
        uid = f"demo{number:024}"
        joined = today - timedelta(days=DAYS - 1 - number * DAYS // PEOPLE)
        seen = list(_days(chance, joined, today))
        for day, actions in seen:
            if day < today:
                new = Member(week_of(joined), absent_week())
                weeks[week_of(day)].setdefault(uid, new).days[day.weekday()] = actions
            else:
                yield _noted(uid, now)
        yield f"{profiles.COLLECTION}/{uid}", _profile(number, joined, seen)
    for week, users in weeks.items():
        yield activity_weeks.document(week, 0).path, activity_weeks.fields(week, users)
    yield insights.document().path, {"open_from": str(today)}


def _days(chance: random.Random, joined: date, today: date) -> Iterator[tuple[date, int]]:
    """The days on which somebody came, ever fewer for some, and what was changed then."""
    eager, tires = chance.uniform(0.25, 0.95), chance.choice((0.0, 0.01, 0.04, 0.12))
    for age in range((today - joined).days + 1):
        day = joined + timedelta(days=age)
        if chance.random() < eager * WEEKDAYS[day.weekday()] * (1 - tires) ** age:
            yield day, int(chance.expovariate(1 / (4 + 20 * eager)))


def _noted(uid: str, now: datetime) -> Write:
    day = str(now.date())
    micros = int(now.timestamp()) * 1_000_000
    fields = {"uid": uid, "day": day, "first_at_micros": micros, "last_at_micros": micros}
    return f"{activity.COLLECTION}/{day}_{uid}", fields


def _profile(number: int, joined: date, seen: list[tuple[date, int]]) -> dict[str, Any]:
    first, last = _FIRST[number % len(_FIRST)], _LAST[number % len(_LAST)]
    profile = profiles.new_profile(
        f"demo{number:024}",
        f"{first}.{last}@shopple.test".lower(),
        f"{first} {last}",
        "none",
        datetime.combine(joined, time(8), UTC),
    )
    last_seen = datetime.combine(seen[-1][0], time(9), UTC) if seen else None
    known = msgspec.structs.replace(profile, last_sign_in_at=last_seen)
    return {**profiles.to_document(known), "demo": True}
