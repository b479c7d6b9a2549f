"""The reaper: ends crawls whose pod was lost, begins them anew, and removes pods without a job."""

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore, kubernetes, slack
from shared.clock import Clock, utc_now
from shared.crawling import job_store, jobs, lifecycle, retailers, sharing
from shared.crawling.models import CrawlJob, from_document
from shared.crawling.pod_manifest import JOB_LABEL, SELECTOR, TOKEN_LABEL
from shared.errors import DependencyError, ShoppleError

if TYPE_CHECKING:
    from google.cloud.firestore import Query

log = logging.getLogger(__name__)

# In a sweep; what is more than that, the next minute finds.
MOST: Final = 200
# Younger launches are their own task's business.
OVERDUE: Final = timedelta(seconds=30)
# A pod that has told its result takes a moment to end by itself.
ENDING: Final = timedelta(seconds=60)
# For so long after the last crawl the cluster is looked at for what was left behind.
LOOKED_AFTER: Final = timedelta(hours=1)


class Swept(msgspec.Struct, frozen=True):
    """What one sweep did."""

    lost: list[CrawlJob]
    relaunched: int
    orphans: int


def sweep(clock: Clock = utc_now) -> Swept:
    """Does all that is due; raises a DependencyError where the database cannot be had.

    A cluster out of reach keeps no lease alive.
    """
    now = clock()
    lost = [change for job in _overdue(now) if (change := _lose(job, clock)) is not None]
    for change in lost:
        sharing.forget(change.before, now)
        jobs.launch(change.to_launch)
    _tell([change.after for change in lost if _to_be_told(change)])
    relaunched = _relaunch(now)
    return Swept([change.after for change in lost], relaunched, _remove_orphans(now))


def _lose(job: CrawlJob, clock: Clock) -> job_store.Change | None:
    """What became of the job, None where its pod was heard after all, or the next sweep sees to it.

    One that cannot be ended must not keep the others from their end.
    """
    terms = job_store.terms(retailers.restarts(job.retailer))

    def decide(known: CrawlJob, now: datetime) -> CrawlJob:
        return lifecycle.lost(known, now, terms) if lifecycle.overdue(known, now) else known

    try:
        change = job_store.change(job.id, decide, clock=clock)
    except ShoppleError as error:
        context = {"job_id": job.id, "error": error.detail}
        log.warning("A lost crawl could not be ended yet", extra={"context": context})
        return None
    return change if change.after is not change.before else None


def _relaunch(now: datetime) -> int:
    """Asks again for pods that have not come, should a task have been lost: the same name.

    By their leases, which those that wait for a place in a group have not.
    """
    latest = now + timedelta(seconds=job_store.terms().start_seconds) - OVERDUE
    query = _where("status", "==", "queued", of=_where("lease_until", ">", now))
    waiting = _found(_where("lease_until", "<=", latest, of=query))
    jobs.launch(waiting, turn=f"{int(now.timestamp()) // 60}")
    return len(waiting)


def _remove_orphans(now: datetime) -> int:
    """Deletes the Jobs of crawls that ended, that have another pod, or that nobody knows."""
    if not kubernetes.is_set_up() or not _looked_after(now):
        return 0
    try:
        alive = [
            job for job in kubernetes.list_jobs(SELECTOR) if not job.finished and not job.deleting
        ]
        known = job_store.read_many(list({job.labels.get(JOB_LABEL, "?") for job in alive}))
        orphans = [
            job for job in alive if _is_orphan(job, known.get(job.labels.get(JOB_LABEL, "?")), now)
        ]
        return sum(kubernetes.delete_job(job.name) for job in orphans)
    except DependencyError as error:
        log.warning(
            "The cluster could not be looked at", extra={"context": {"error": error.detail}}
        )
        return 0


def _is_orphan(pod: kubernetes.ClusterJob, job: CrawlJob | None, now: datetime) -> bool:
    if job is None or pod.labels.get(TOKEN_LABEL) != str(job.token):
        return True
    return job.finished_at is not None and job.finished_at + ENDING <= now


def _looked_after(now: datetime) -> bool:
    active = _where("status", "in", ["queued", "running", "stopping"])
    lately = _where("finished_at", ">", now - LOOKED_AFTER)
    return any(_found(query, 1) for query in (active, lately))


def _to_be_told(change: job_store.Change) -> bool:
    """Of a job's lost pods the first that is replaced; its end is told with its result.

    The commit that says so is one caller's, so it is told once, or never if that caller dies.
    """
    return change.after.loss_told and not change.before.loss_told


def _tell(lost: list[CrawlJob]) -> None:
    """Says in Slack what is begun anew; a Slack that does not answer holds nothing up."""
    if not lost:
        return
    lines = [
        f"• {slack.escape(job.retailer)}, {slack.escape(job.category)} (attempt {job.attempt})"
        for job in lost
    ]
    try:
        slack.post("\n".join(["Crawls whose pod was lost are begun anew:", *lines]))
    except DependencyError as error:
        log.warning("Slack could not be told", extra={"context": {"error": error.detail}})


def _overdue(now: datetime) -> list[CrawlJob]:
    return _found(_where("lease_until", "<=", now))


def _where(field: str, comparison: str, value: object, of: "Query | None" = None) -> "Query":
    from google.cloud.firestore import FieldFilter

    only = FieldFilter(field, comparison, value)
    found = of if of is not None else firestore.client().collection(job_store.COLLECTION)
    return found.where(filter=only)


def _found(query: "Query", most: int | None = None) -> list[CrawlJob]:
    with firestore.errors_mapped():
        found: list[Any] = list(query.limit(most or MOST).stream(**firestore.limits()))
    return [from_document(s.id, s.to_dict() or {}) for s in found]
