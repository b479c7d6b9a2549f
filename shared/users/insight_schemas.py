"""What the insights' endpoints take and answer."""

from typing import Annotated

import msgspec
from msgspec import Meta


class UsersQuery(msgspec.Struct, forbid_unknown_fields=True):
    """How many days, of which the last is that of the latest recount."""

    days: Annotated[int, Meta(ge=1, le=90)] = 30


class GrowthQuery(msgspec.Struct, forbid_unknown_fields=True):
    """How many ISO weeks, of which the last is that of the latest recount."""

    weeks: Annotated[int, Meta(ge=1, le=52)] = 12


class DayView(msgspec.Struct):
    """One day of UTC: how many users were active, and how many changes they made."""

    date: str
    active: int
    actions: int


class ActiveUserView(msgspec.Struct):
    """One of the most active users, and what he did in the days asked for."""

    uid: str
    email: str
    name: str
    active_days: int
    actions: int
    last_active_on: str


class UsersInsight(msgspec.Struct):
    """Activity by day and the 50 most active users; `as_of` is null before the first recount."""

    as_of: str | None
    days: list[DayView]
    users: list[ActiveUserView]


class WeekView(msgspec.Struct):
    """One ISO week of UTC, and how many of those who signed up in it came back each week since.

    `retention_percent` begins with the week itself; it is empty where nobody signed up.
    """

    week: str
    starts_on: str
    signups: int
    active: int
    retention_percent: list[float]


class GrowthInsight(msgspec.Struct):
    """Sign-ups, active users and retention by week; `as_of` is null before the first recount."""

    as_of: str | None
    total_users: int
    weeks: list[WeekView]
