"""Activity, sign-ups and retention: one document, brought up to date by a debounced task.

The task reads who was active on the days that are still open, the packed weeks before, and the
profiles of whoever it does not know yet; a request reads the one document.
"""

import math
import time
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.clock import Clock, rfc3339, utc_now
from shared.products import recounts
from shared.users import activity_days, activity_figures, activity_weeks, sign_ups
from shared.users.activity_figures import DayFigures, Member, WeekFigures
from shared.users.activity_weeks import KEPT_WEEKS, Weeks
from shared.users.insight_schemas import (
    ActiveUserView,
    DayView,
    GrowthInsight,
    UsersInsight,
    WeekView,
)

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

WINDOW_SECONDS: Final = 300
MOST_WEEKS: Final = 52
# Some 120 bytes each, packed: the document stays under 100 kB. The usual times name at most 300.
MOST_LISTED: Final = 400
# After a day's end, what was noted in its last moments has arrived.
CLOSED_AFTER: Final = timedelta(hours=1)

_recounts = recounts.Recounts("refresh_insights", "insights", WINDOW_SECONDS)


class Listed(msgspec.Struct, array_like=True):
    """A user who is among the most active of some time, and his last 90 days."""

    uid: str
    email: str
    name: str
    days: list[int]


class Figures(msgspec.Struct, array_like=True):
    """All that the latest recount found: 52 weeks, 90 days, and who was most active in them."""

    as_of: str
    last_day: str
    total_users: int
    weeks: dict[str, WeekFigures]
    days: list[DayFigures]
    listed: list[Listed]


def users(days: int) -> UsersInsight:
    """Activity in the last `days` days: one document read."""
    figures = _read()
    if figures is None:
        return UsersInsight(None, [], [])
    last_day = date.fromisoformat(figures.last_day)
    known = {each.uid: each for each in figures.listed}
    ranked = activity_figures.most_active({uid: u.days for uid, u in known.items()}, days)
    return UsersInsight(
        as_of=figures.as_of,
        days=list(_day_views(last_day, figures.days[-days:])),
        users=[
            ActiveUserView(
                uid=each.uid,
                email=known[each.uid].email,
                name=known[each.uid].name,
                active_days=each.active_days,
                actions=each.actions,
                last_active_on=str(last_day + timedelta(days=each.last_active)),
            )
            for each in ranked
        ],
    )


def _day_views(last_day: date, figures: list[DayFigures]) -> Iterator[DayView]:
    for back, each in zip(reversed(range(len(figures))), figures, strict=True):
        yield DayView(str(last_day - timedelta(days=back)), each.active, each.actions)


def growth(weeks: int) -> GrowthInsight:
    """Sign-ups, active users and retention of the last `weeks` weeks: one document read."""
    figures = _read()
    if figures is None:
        return GrowthInsight(None, 0, [])
    return GrowthInsight(
        as_of=figures.as_of,
        total_users=figures.total_users,
        weeks=[
            WeekView(
                week=week,
                starts_on=str(activity_figures.monday_of(week)),
                signups=figures.weeks[week].signups,
                active=figures.weeks[week].active,
                retention_percent=activity_figures.retention_percent(week, figures.weeks),
            )
            for week in sorted(figures.weeks)[-weeks:]
        ],
    )


def request_refresh() -> None:
    """Enqueues a recount at the end of the present window; raises a DependencyError."""
    _recounts.request()


def forget(uid: str, clock: Clock = utc_now) -> None:
    """Removes a user's days from all that is counted anew; raises Conflict, a DependencyError.

    The next recount, which it asks for, takes the name off; figures of closed weeks keep no names.
    """
    activity_days.forget(uid)
    activity_weeks.forget(uid, _kept_weeks(clock().date())[0])
    request_refresh()


def refresh(due_at: float = math.inf, clock: Clock = utc_now) -> None:
    """Counts the open days anew, unless that began after `due_at` (epoch seconds) already.

    Raises Conflict if another recount was faster.
    """
    began_at, now = time.time(), clock()
    with firestore.errors_mapped():
        before = document().get(**firestore.limits())
    known = before.to_dict() or {}
    if recounts.began_later(known.get("began_at", 0.0), due_at):
        return
    weeks = activity_weeks.read(_kept_weeks(now.date())[0])
    open_days = list(_open_days(known.get("open_from"), now.date()))
    _count(open_days, weeks)
    old = _unpack(known)
    open_week = activity_figures.week_of(open_days[0])
    figures = _figures(now, weeks, old.weeks if old else {}, open_week)
    for week in dict.fromkeys(map(activity_figures.week_of, open_days)):
        weeks.store(week)
    firestore.store(
        before,
        {
            "began_at": began_at,
            "open_from": str((now - CLOSED_AFTER).date()),
            "figures": activity_weeks.pack(figures),
        },
    )


def document() -> "DocumentReference":
    """Where the figures are stored."""
    return firestore.client().collection("statistics").document("insights")


def _kept_weeks(today: date) -> list[str]:
    return activity_figures.weeks_until(today, KEPT_WEEKS)


def _open_days(open_from: str | None, today: date) -> Iterator[date]:
    """The days that may still have changed, at the first recount all days that are known."""
    first = date.fromisoformat(open_from) if open_from else activity_days.first_day() or today
    # What nobody counted for so long is not told of by user any more.
    day = min(today, max(first, activity_figures.monday_of(_kept_weeks(today)[0])))
    while day <= today:
        yield day
        day += timedelta(days=1)


def _count(days: Iterable[date], weeks: Weeks) -> None:
    """Puts who was active on each of the days into its week, and what each of them did."""
    joined = {
        uid: member.joined
        for members in weeks.users.values()
        for uid, member in members.items()
        if member.joined
    }
    for day in days:
        actions = activity_days.actions_on(day, activity_days.active_on(day))
        joined |= sign_ups.weeks_joined(uid for uid in actions if uid not in joined)
        members = weeks.users[activity_figures.week_of(day)]
        for uid, count in actions.items():
            member = members.setdefault(uid, Member(None, activity_figures.absent_week()))
            member.joined = joined.get(uid)
            member.days[day.weekday()] = count


def _figures(now: datetime, weeks: Weeks, old: dict[str, WeekFigures], open_week: str) -> Figures:
    today = now.date()
    by_user = activity_figures.daily(weeks.users, today, activity_figures.MOST_DAYS)
    return Figures(
        as_of=rfc3339(now),
        last_day=str(today),
        total_users=sign_ups.total(),
        weeks=_week_figures(today, weeks, old, open_week),
        days=activity_figures.day_figures(by_user.values(), activity_figures.MOST_DAYS),
        listed=_listed(by_user),
    )


def _week_figures(
    today: date, weeks: Weeks, old: dict[str, WeekFigures], open_week: str
) -> dict[str, WeekFigures]:
    """Each of the last 52 weeks; of those that closed, sign-ups and all counts of old stay."""
    found = {}
    for week in activity_figures.weeks_until(today, MOST_WEEKS):
        closed = old.get(week) if week < open_week else None
        if closed and week not in weeks.users:
            found[week] = closed
            continue
        signups = closed.signups if closed else sign_ups.in_week(week)
        members = weeks.users.get(week, {})
        found[week] = activity_figures.week_figures(members.values(), signups)
    return found


def _listed(by_user: dict[str, list[int]]) -> list[Listed]:
    chosen = activity_figures.listed(by_user, MOST_LISTED)
    names = sign_ups.names(chosen)
    return [Listed(uid, *names[uid], by_user[uid]) for uid in chosen if uid in names]


def _read() -> Figures | None:
    with firestore.errors_mapped():
        return _unpack(document().get(**firestore.limits()).to_dict() or {})


def _unpack(fields: dict[str, Any]) -> Figures | None:
    packed = fields.get("figures")
    return activity_weeks.unpack(packed, Figures) if packed else None
