"""Crawls in the database: each step is one transaction, and so is a group's next place.

A group lists who runs and who waits. Whoever ends a job gives its place to the next in the same
transaction, so that no accident between two writes can let one job too many begin.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.clock import Clock, utc_now
from shared.config import settings
from shared.crawling import lifecycle
from shared.crawling.lifecycle import Terms
from shared.crawling.models import CrawlJob, from_document, to_document
from shared.edge.request import Actor
from shared.errors import NotFound
from shared.products import outbox
from shared.system import audit

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, DocumentSnapshot, Transaction

COLLECTION: Final = "crawl_jobs"
GROUPS: Final = "crawl_groups"
Decide = Callable[[CrawlJob, datetime], CrawlJob]


class Change(msgspec.Struct, frozen=True):
    """What a step made of a job, and who got the place that it left."""

    before: CrawlJob
    after: CrawlJob
    admitted: list[CrawlJob] = []

    @property
    def to_launch(self) -> list[CrawlJob]:
        """The jobs for which a pod has to be started."""
        again = self.after.status == "queued" and self.after.token > self.before.token
        return [*self.admitted, self.after] if again else self.admitted

    @property
    def ended(self) -> bool:
        """Whether this step was the job's end."""
        return self.after.ended and not self.before.ended


def terms(restarts: int = 0) -> Terms:
    """How long pods may be silent, as the settings say, and how often a crawl is begun anew."""
    known = settings()
    return Terms(
        known.crawler_lease_seconds,
        known.crawler_start_seconds,
        known.crawler_stop_seconds,
        restarts,
    )


def reference(job_id: str) -> "DocumentReference":
    """Where a job is stored."""
    return firestore.client().collection(COLLECTION).document(job_id)


def group_reference(group_id: str) -> "DocumentReference":
    """Where a group is stored."""
    return firestore.client().collection(GROUPS).document(group_id)


def read(job_id: str) -> CrawlJob:
    """The job; raises NotFound."""
    with firestore.errors_mapped():
        snapshot = reference(job_id).get(**firestore.limits())
    return _job(job_id, snapshot.to_dict())


def read_many(job_ids: Sequence[str]) -> dict[str, CrawlJob]:
    """Those of the jobs that exist: one read each."""
    found = firestore.existing(reference(job_id) for job_id in job_ids)
    return {s.id: from_document(s.id, s.to_dict() or {}) for s in found}


def change(job_id: str, decide: Decide, by: Actor | None = None, clock: Clock = utc_now) -> Change:
    """Makes of the job what `decide` says, which may be asked several times; audited if `by`.

    Raises NotFound, Conflict where others keep changing it, or what `decide` does.
    """

    def run(transaction: "Transaction") -> Change:
        before = _job(job_id, _fields(reference(job_id), transaction))
        now = clock()
        after = decide(before, now)
        if after is before:
            return Change(before, after)
        next_ones: list[CrawlJob] = []
        if after.ended and not before.ended and before.group_id is not None:
            next_ones = _next_of_group(before, now, transaction)
        transaction.set(reference(job_id), to_document(after))
        if after.ended and not before.ended:
            owed = outbox.fields("crawl_ingestion", job_id, after.token)
            transaction.set(outbox.document("crawl_ingestion", job_id), owed)
        if by is not None and after.status != before.status:
            sides = [{"status": each.status} for each in (before, after)]
            transaction.create(*audit.entry(by, f"{COLLECTION}/{job_id}", sides[0], sides[1]))
        return Change(before, after, next_ones)

    return firestore.in_transaction(run)


def _next_of_group(leaving: CrawlJob, now: datetime, transaction: "Transaction") -> list[CrawlJob]:
    """Gives the place of a job to the next; reads come first, as Firestore wants them."""
    document = group_reference(leaving.group_id or "")
    group = _fields(document, transaction)
    if group is None:
        return []
    running, waiting, ids = places(
        group["running"], group["waiting"], group["concurrency"], leaving.id
    )
    references = [reference(each) for each in ids]
    snapshots: Iterable[DocumentSnapshot[Any]] = ()
    if references:
        # Firestore refuses to read nothing at all.
        snapshots = firestore.client().get_all(
            references, transaction=transaction, **firestore.limits()
        )
    found = {s.id: s.to_dict() for s in snapshots}
    jobs = [
        lifecycle.admitted(from_document(job_id, fields), now, terms())
        for job_id in ids
        if (fields := found.get(job_id)) is not None
    ]
    transaction.update(document, {"running": running, "waiting": waiting})
    for job in jobs:
        transaction.set(reference(job.id), to_document(job))
    return jobs


def places(
    running: Sequence[str], waiting: Sequence[str], concurrency: int, leaving: str
) -> tuple[list[str], list[str], list[str]]:
    """Who runs, who waits and who is new once one has left a group."""
    left = [each for each in running if each != leaving]
    queue = [each for each in waiting if each != leaving]
    free = max(concurrency - len(left), 0)
    return [*left, *queue[:free]], queue[free:], queue[:free]


def _fields(document: "DocumentReference", transaction: "Transaction") -> dict[str, Any] | None:
    fields: dict[str, Any] | None = document.get(
        transaction=transaction, **firestore.limits()
    ).to_dict()
    return fields


def _job(job_id: str, fields: dict[str, Any] | None) -> CrawlJob:
    if fields is None:
        raise NotFound("There is no such crawl.")
    return from_document(job_id, fields)
