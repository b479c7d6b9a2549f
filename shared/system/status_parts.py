"""What `/system/status` asks, each part by itself: none of these sends or changes anything."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, Protocol

import msgspec

from shared.clients import firestore, mail, opensearch, redis, scheduler, storage, tasks
from shared.clock import rfc3339, utc_now
from shared.config import settings
from shared.edge.attempts import ATTEMPTS
from shared.system.schemas import PartState, StatusItem

MOST: Final = 1000
# A dead letter is news for a day, and known after that.
NEWS: Final = timedelta(days=1)
CRAWL_SCHEDULES: Final = "run_crawl_schedule"
# The sweep has had its turn at what is older.
OVERDUE: Final = timedelta(minutes=3)
# Who asks the part fills it in.
UNMEASURED: Final = 0.0


class Part(Protocol):
    """One thing that the product stands on; the status measures how long `ask` takes."""

    @property
    def name(self) -> str:
        """What the answer calls it."""

    def ask(self) -> PartState:
        """Its state; raises a DependencyError where it cannot be reached."""


class Pinged(msgspec.Struct, frozen=True):
    """A part that is well if it answers at all, or `off` where its setting is missing."""

    name: str
    ping: Callable[[], None]
    setting: str | None = None
    configured: Callable[[], bool] = lambda: True

    def ask(self) -> PartState:
        """Its state; raises a DependencyError."""
        if not self.configured():
            return PartState(self.name, "off", UNMEASURED, f"{self.setting} is not set")
        self.ping()
        return PartState(self.name, "ok", UNMEASURED)


class Asked(msgspec.Struct, frozen=True):
    """A part that has more to tell."""

    name: str
    tell: Callable[[str], PartState]

    def ask(self) -> PartState:
        """Its state; raises a DependencyError."""
        return self.tell(self.name)


def queues(name: str) -> PartState:
    """Each queue of ours: one that is paused, or is not there, keeps work waiting."""
    found = tasks.list_states()
    told = [StatusItem(each, found.get(each, "missing")) for each in sorted(ATTEMPTS)]
    wrong = [f"{each.name} is {each.state}" for each in told if each.state != "running"]
    return _with_items(name, told, wrong)


def jobs(name: str) -> PartState:
    """Each job that calls us: when it last ran, and how that failed."""
    ours = [
        job
        for job in scheduler.list_runs()
        if job.url.startswith(settings().functions_url) and not _peoples(job)
    ]
    told = [
        StatusItem(
            job.name,
            "paused" if job.paused else "failed" if job.error else "ok",
            rfc3339(job.last_run_at) if job.last_run_at else None,
            job.error,
        )
        for job in sorted(ours, key=lambda job: job.name)
    ]
    wrong = [f"{each.name} {each.state}" for each in told if each.state != "ok"]
    return _with_items(name, told, wrong)


def _peoples(job: scheduler.JobRun) -> bool:
    """Whether it is a crawl schedule's that did not fail: people make, pause and remove those."""
    return job.url.endswith(f"/{CRAWL_SCHEDULES}") and (job.paused or not job.error)


def dead_letters(name: str) -> PartState:
    """What failed for good in the last 30 days; some of the last day calls for somebody."""
    letters = firestore.client().collection("dead_letters")
    with firestore.errors_mapped():
        number = _count(letters)
        fresh = _count(letters.where(filter=_filter("at", ">", utc_now() - NEWS)))
    detail = f"{_told(number)} in all, {_told(fresh)} of the last day" if number else None
    return _counted(name, number, "degraded" if fresh else "ok", detail)


def overdue(name: str) -> PartState:
    """Consequences of writes that neither their trigger nor the sweep has had done."""
    owed = firestore.client().collection("outbox")
    with firestore.errors_mapped():
        number = _count(owed.where(filter=_filter("at", "<=", utc_now() - OVERDUE)))
    detail = f"{_told(number)} overdue for {OVERDUE.seconds // 60} minutes" if number else None
    return _counted(name, number, "degraded" if number else "ok", detail)


def _with_items(name: str, items: list[StatusItem], wrong: list[str]) -> PartState:
    detail = "; ".join(wrong) if wrong else None
    return PartState(name, "degraded" if wrong else "ok", UNMEASURED, detail, items=items)


def _counted(name: str, number: int, state: Any, detail: str | None) -> PartState:
    at_least = True if number >= MOST else None
    return PartState(name, state, UNMEASURED, detail, number, at_least)


def _told(number: int) -> str:
    return f"{number}+" if number >= MOST else str(number)


def _filter(field: str, comparison: str, value: object) -> Any:
    from google.cloud.firestore import FieldFilter

    return FieldFilter(field, comparison, value)


def _count(query: Any) -> int:
    return firestore.count(query.limit(MOST), timeout_seconds=2.0)


def _nothing_to_ask() -> None:
    """Whether a message would arrive is not tried: that would send one."""


# A part of the future is one line here; those of other domains, their functions add.
PARTS: Final[tuple[Part, ...]] = (
    Pinged("firestore", firestore.ping),
    Pinged(
        "redis",
        redis.ping,
        "UPSTASH_REDIS_REST_URL",
        lambda: settings().redis_url is not None,
    ),
    Pinged("storage", storage.ping),
    Asked("tasks", queues),
    Asked("scheduler", jobs),
    Asked("dead_letters", dead_letters),
    Asked("outbox", overdue),
    Pinged(
        "slack",
        _nothing_to_ask,
        "SLACK_WEBHOOK_URL",
        lambda: settings().slack_webhook_url is not None,
    ),
    Pinged("mail", _nothing_to_ask, "SMTP_URL", mail.is_set_up),
    Pinged(
        "opensearch",
        opensearch.ping,
        "OPENSEARCH_URL",
        lambda: settings().opensearch_url is not None,
    ),
)
