"""How a crawl moves from its order to its end: one table, and what each step makes of the job.

Pure: whoever stores the result does so in one transaction. A lease that is over is over, whether
or not anybody has looked yet, so that a pod that wakes late can change nothing.
"""

from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from shared.crawling.models import CrawlJob, Status
from shared.crawling.results import Count, Detail, Ending, Progress

Event = Literal["claim", "stop", "complete", "end", "fail", "restart"]

TRANSITIONS: Final[dict[tuple[Status, Event], Status]] = {
    ("queued", "claim"): "running",
    ("queued", "stop"): "stopped",
    ("queued", "fail"): "failed",
    ("queued", "restart"): "queued",
    ("running", "stop"): "stopping",
    ("running", "complete"): "completed",
    ("running", "fail"): "failed",
    ("running", "restart"): "queued",
    ("stopping", "end"): "stopped",
    ("stopping", "complete"): "completed",
    ("stopping", "fail"): "failed",
}
LOST: Final = "The pod was not heard of any more."
ABSENT: Final = "No pod began in time."
EVICTED: Final = "The pod was ended from outside."
TIME_OVER: Final = "The time that a crawl may take was over."
# Between two attempts to have a pod of a cluster that is full or away; then for about a day.
FIRST_PAUSE_SECONDS: Final = 15
LONGEST_PAUSE_SECONDS: Final = 600
MOST_WAITS: Final = 150
_COMPLETE: Final[tuple[Ending, ...]] = ("completed", "page_limit", "row_limit", "time_over")


class Terms(msgspec.Struct, frozen=True):
    """How long a pod may be silent, may take to begin, and may take to stop, in seconds.

    A crawl whose pod is lost is begun anew up to `restarts` times.
    """

    lease_seconds: float
    start_seconds: float
    stop_seconds: float
    restarts: int = 0


class Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a pod says of a crawl that ended; the manifest it stored tells the rest."""

    ending: Ending
    whole: bool
    rows: Count
    detail: Detail | None = None


class Refused(Exception):
    """The pod is not, or no longer, the one whose word counts; says why."""


class Impossible(Exception):
    """The table knows no such step."""


def step(status: Status, event: Event) -> Status:
    """The status after `event`; raises Impossible."""
    try:
        return TRANSITIONS[status, event]
    except KeyError:
        raise Impossible(f"A job that is {status} cannot {event}.") from None


def overdue(job: CrawlJob, now: datetime) -> bool:
    """Whether its pod counts as lost."""
    return not job.ended and job.lease_until is not None and job.lease_until <= now


def admitted(job: CrawlJob, now: datetime, terms: Terms) -> CrawlJob:
    """The job with a place: from now on a pod is awaited."""
    until = now + timedelta(seconds=terms.start_seconds)
    return _changed(job, lease_until=until, placed_at=job.placed_at or now)


def waiting(job: CrawlJob, why: str, now: datetime, terms: Terms) -> CrawlJob:
    """The job for which the cluster has no pod at present: in its place, with a longer lease.

    The sweep asks again once all but the usual time to begin is over, so the pause is in the
    lease. Refused for about a day, the job has failed.
    """
    if job.waits >= MOST_WAITS:
        return failed(job, why, now)
    pause = min(FIRST_PAUSE_SECONDS * 2**job.waits, LONGEST_PAUSE_SECONDS)
    until = now + timedelta(seconds=terms.start_seconds + pause)
    return _changed(job, lease_until=until, waits=job.waits + 1, error=why)


def check_pod(job: CrawlJob, token: int, now: datetime) -> None:
    """Raises Refused unless the pod with this token is the one that holds the job."""
    if token != job.token:
        raise Refused("Another pod holds this job.")
    if job.ended:
        raise Refused(f"The job is {job.status}.")
    if job.lease_until is None or overdue(job, now):
        raise Refused("The lease is over.")


def told(job: CrawlJob, progress: Progress, now: datetime, terms: Terms) -> CrawlJob:
    """The job after its pod's report; the first report of all claims it.

    What is to stop keeps the time that it was given: a heartbeat does not lengthen it.
    """
    figures = {
        "note": progress.note,
        "pages_done": progress.pages_done,
        "pages_total": progress.pages_known,
        "pages_failed": progress.pages_failed,
        "products_found": progress.products_found,
        "pages_per_second": progress.pages_per_second,
        "seconds_left": progress.seconds_left,
        "growing": progress.growing,
    }
    lease = job.lease_until
    if job.status != "stopping":
        lease = now + timedelta(seconds=terms.lease_seconds)
    status = step(job.status, "claim") if job.status == "queued" else job.status
    started_at = job.started_at or now
    heard = {"heartbeat_at": now, "lease_until": lease, "error": None}
    return _changed(job, status=status, started_at=started_at, **heard, **figures)


def stopped(job: CrawlJob, now: datetime, terms: Terms) -> CrawlJob:
    """The job that somebody wants to end; itself where nothing is left to do.

    One that runs gets a while to keep what it found; one that is stuck ends at once.
    """
    if job.ended:
        return job
    if job.status == "queued":
        return _ended(job, step(job.status, "stop"), now)
    if overdue(job, now):
        return lost(job, now, terms) if job.status == "stopping" else _stuck(job, now)
    if job.status == "stopping":
        return job
    until = now + timedelta(seconds=terms.stop_seconds)
    return _changed(job, status=step(job.status, "stop"), lease_until=until)


def finished(job: CrawlJob, result: Result, manifest: str, now: datetime, terms: Terms) -> CrawlJob:
    """The job with its result; one that the cluster ended is begun anew where it may be."""
    kept = {"manifest": manifest, "rows": result.rows, "whole": result.whole}
    if result.ending in _COMPLETE:
        error = TIME_OVER if result.ending == "time_over" else None
        return _ended(job, step(job.status, "complete"), now, error=error, **kept)
    if result.ending == "failed":
        return _ended(job, step(job.status, "fail"), now, error=result.detail, **kept)
    if job.status == "stopping":
        return _ended(job, step(job.status, "end"), now, **kept)
    if job.attempt <= terms.restarts:
        return _again(job, now, terms)
    return _ended(job, step(job.status, "fail"), now, error=EVICTED, **kept)


def failed(job: CrawlJob, error: str, now: datetime) -> CrawlJob:
    """The job, given up for a reason that another pod would meet too."""
    return _ended(job, step(job.status, "fail"), now, error=error)


def lost(job: CrawlJob, now: datetime, terms: Terms) -> CrawlJob:
    """The job whose lease is over: stopped if that was wanted, else begun anew or failed."""
    if job.status == "stopping":
        return _ended(job, step(job.status, "end"), now)
    if job.attempt <= terms.restarts:
        return msgspec.structs.replace(_again(job, now, terms), loss_told=True)
    error = ABSENT if job.status == "queued" else LOST
    return _ended(job, step(job.status, "fail"), now, error=error)


def _stuck(job: CrawlJob, now: datetime) -> CrawlJob:
    between = msgspec.structs.replace(job, status=step(job.status, "stop"))
    return _ended(between, step(between.status, "end"), now)


def _again(job: CrawlJob, now: datetime, terms: Terms) -> CrawlJob:
    """From the beginning under a token that no pod has held: nothing of the old one counts."""
    fresh = CrawlJob(
        **{name: getattr(job, name) for name in _ORDER},
        status=step(job.status, "restart"),
        token=job.token + 1,
        attempt=job.attempt + 1,
        version=job.version,
    )
    return admitted(fresh, now, terms)


def _ended(job: CrawlJob, status: Status, now: datetime, **fields: object) -> CrawlJob:
    closed = {"lease_until": None, "seconds_left": None, "growing": False, "finished_at": now}
    silent = {"error": None, "note": None}
    return _changed(job, status=status, **{**silent, **closed, **fields})


def _changed(job: CrawlJob, **fields: object) -> CrawlJob:
    return msgspec.structs.replace(job, **fields, version=job.version + 1)


_ORDER: Final = (
    *("id", "retailer", "category", "requested_by", "created_at", "max_pages"),
    *("group_id", "schedule_id", "slot", "placed_at", "loss_told"),
)
