"""The weekly report to Slack: once for each ISO week, by a record that is claimed before.

Slack takes a message without an id, so between sending and recording it nobody can know more: who
is cut off there leaves a claim behind, and the next call sends again and says so in the message.
"""

from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from shared.clients import firestore, slack
from shared.clock import Clock, utc_now
from shared.errors import Conflict, DependencyError, DependencyUnavailable
from shared.system import weekly_figures, weekly_text
from shared.system.weekly_text import Figures

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, DocumentSnapshot

COLLECTION: Final = "weekly_reports"
# Longer than a call may take; a claim that is older was left behind.
CLAIM_LIFETIME: Final = timedelta(minutes=5)


class Report(msgspec.Struct):
    """A week's report: `failed` was refused by Slack, `off` had no Slack to go to."""

    status: Literal["claimed", "sent", "failed", "off"]
    claimed_at: datetime
    figures: Figures
    sent_at: datetime | None = None


def report(clock: Clock = utc_now) -> bool:
    """Sends the report of the last ISO week; False where it was sent already or there is no Slack.

    Raises a DependencyError where it was not sent, or another call may be sending it.
    """
    monday = _last_monday(clock())
    snapshot, known = _read(monday)
    if known is not None and known.status == "sent":
        return False
    left_behind = known is not None and known.status == "claimed"
    if known is not None and left_behind and known.claimed_at > clock() - CLAIM_LIFETIME:
        raise DependencyUnavailable("Another call is sending the report.")
    claim = Report("claimed", clock(), weekly_figures.gather(monday))
    _claim(snapshot, claim)
    _, before = _read(monday - timedelta(days=7))
    figures = before.figures if before else None
    message = weekly_text.text(
        _week(monday), claim.figures, figures, slack.escape, again=left_behind
    )
    return _send(monday, message, clock)


def _claim(snapshot: "DocumentSnapshot[Any]", claim: Report) -> None:
    try:
        firestore.store(snapshot, _fields(claim))
    except Conflict:
        raise DependencyUnavailable("Another call is sending the report.") from None


def _send(monday: date, message: str, clock: Clock) -> bool:
    try:
        sent = slack.post(message)
    except DependencyError:
        with suppress(DependencyError):
            _settle(monday, {"status": "failed"})
        raise
    _settle(monday, {"status": "sent", "sent_at": clock()} if sent else {"status": "off"})
    return sent


def _settle(monday: date, change: dict[str, Any]) -> None:
    with firestore.errors_mapped():
        _document(monday).update(change, **firestore.limits())


def _last_monday(now: datetime) -> date:
    """The first day of the ISO week (UTC) before the present one."""
    today = now.date()
    return today - timedelta(days=today.weekday() + 7)


def _week(monday: date) -> str:
    year, week, _ = monday.isocalendar()
    return f"{year}-W{week:02}"


def _read(monday: date) -> "tuple[DocumentSnapshot[Any], Report | None]":
    with firestore.errors_mapped():
        snapshot = _document(monday).get(**firestore.limits())
    return snapshot, firestore.record_of(snapshot, Report)


def _fields(report: Report) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(report, builtin_types=(datetime,))
    return fields


def _document(monday: date) -> "DocumentReference":
    return firestore.client().collection(COLLECTION).document(_week(monday))
