"""Crawls as people and schedules order them: started, started as a group, stopped."""

import hashlib
import logging
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore, tasks
from shared.clock import Clock, rfc3339, utc_now
from shared.config import settings
from shared.crawling import job_store, lifecycle, retailers
from shared.crawling.background_schemas import LaunchCrawl
from shared.crawling.models import CrawlJob, from_document, to_document
from shared.crawling.recipes import Recipe
from shared.crawling.schemas import Wanted
from shared.edge.request import Actor
from shared.errors import Conflict, DependencyError, Invalid, NotFound
from shared.system import audit

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, Transaction

log = logging.getLogger(__name__)

QUEUE: Final = "crawls"
FUNCTION: Final = "launch_crawl"
# Longer than a hundred crawls, each begun six times, may take one after the other.
GROUP_LIFETIME: Final = timedelta(days=180)
# One for each retailer and category: when it was last crawled.
LANES: Final = "crawl_lanes"


def start(  # noqa: PLR0913 - each is one fact of an order
    retailer: str,
    category: str,
    *,
    max_pages: int | None = None,
    force: bool = False,
    by: Actor,
    schedule_id: str | None = None,
    slot: str | None = None,
    clock: Clock = utc_now,
) -> CrawlJob:
    """The queued crawl; a slot of a schedule has one, however often it is asked for.

    Raises Invalid for what no recipe names, and Conflict inside the gap after the last one.
    """
    wanted = Wanted(retailer=retailer, category=category, max_pages=max_pages)
    _check_recipes([wanted])
    job = _ordered(wanted, by, clock())
    if schedule_id is not None:
        named = hashlib.sha256(f"{schedule_id} {slot}".encode()).hexdigest()[:20]
        job = msgspec.structs.replace(job, id=named, schedule_id=schedule_id, slot=slot)
    job = lifecycle.admitted(job, job.created_at, job_store.terms())

    def run(transaction: "Transaction") -> tuple[CrawlJob, bool]:
        if schedule_id is not None:
            known = job_store.reference(job.id).get(transaction=transaction, **firestore.limits())
            if known.exists:
                return from_document(job.id, known.to_dict() or {}), False
        _check_gaps([job], transaction, force=force)
        _create([job], transaction)
        told = {"retailer": retailer, "category": category, "status": job.status}
        transaction.create(*audit.entry(by, f"{job_store.COLLECTION}/{job.id}", None, told))
        return job, True

    stored, new = firestore.in_transaction(run)
    if new:
        launch([stored])
    return stored


def start_multiple(
    wanted: Sequence[Wanted],
    concurrency: int,
    *,
    force: bool,
    by: Actor,
    clock: Clock = utc_now,
) -> tuple[str, list[CrawlJob]]:
    """The group's id and its queued crawls, of which never more than so many run at once.

    Raises as `start`; then none is started.
    """
    _check_recipes(wanted)
    now = clock()
    group_id = secrets.token_hex(10)
    ordered = [
        msgspec.structs.replace(_ordered(each, by, now), group_id=group_id) for each in wanted
    ]
    first = [lifecycle.admitted(job, now, job_store.terms()) for job in ordered[:concurrency]]
    jobs = [*first, *ordered[concurrency:]]
    group = {
        "concurrency": concurrency,
        "running": [job.id for job in first],
        "waiting": [job.id for job in ordered[concurrency:]],
        "created_at": now,
        "expires_at": now + GROUP_LIFETIME,
    }

    def run(transaction: "Transaction") -> None:
        _check_gaps(jobs, transaction, force=force)
        _create(jobs, transaction)
        transaction.create(job_store.group_reference(group_id), group)
        told = {"jobs": [job.id for job in jobs], "concurrency": concurrency}
        transaction.create(*audit.entry(by, f"{job_store.GROUPS}/{group_id}", None, told))

    firestore.in_transaction(run)
    launch(first)
    return group_id, jobs


def stop(job_id: str, by: Actor, clock: Clock = utc_now) -> CrawlJob:
    """The crawl, stopping or ended; the same again changes nothing. Raises NotFound."""
    terms = job_store.terms()
    change = job_store.change(
        job_id, lambda job, now: lifecycle.stopped(job, now, terms), by, clock
    )
    launch(change.to_launch)
    return change.after


def launch(jobs: Sequence[CrawlJob], turn: str = "0") -> None:
    """Has pods started; what cannot be asked for now, the next sweep asks for."""
    for job in jobs:
        body = msgspec.json.encode(LaunchCrawl(job.id, job.token))
        try:
            tasks.enqueue(QUEUE, FUNCTION, body, name=f"launch-{job.id}-{job.token}-{turn}")
        except DependencyError as error:
            context = {"job_id": job.id, "error": error.detail}
            log.warning("A launch could not be enqueued", extra={"context": context})


def _ordered(wanted: Wanted, by: Actor, now: datetime) -> CrawlJob:
    return CrawlJob(
        id=secrets.token_hex(10),
        retailer=wanted.retailer,
        category=wanted.category,
        max_pages=wanted.max_pages,
        requested_by=by.uid,
        created_at=now,
    )


def _check_recipes(wanted: Sequence[Wanted]) -> None:
    recipes: dict[str, Recipe] = {}
    for number, each in enumerate(wanted):
        field = f"jobs[{number}]." if len(wanted) > 1 else ""
        if any(_same_lane(each, other) for other in wanted[:number]):
            raise Invalid.one(f"jobs[{number}]", "asks for the same a second time")
        try:
            if each.retailer not in recipes:
                recipes[each.retailer] = retailers.recipe(each.retailer)
        except NotFound:
            raise Invalid.one(f"{field}retailer", "has no recipe") from None
        if not recipes[each.retailer].start_urls.get(each.category):
            raise Invalid.one(f"{field}category", "has no start page in the retailer's recipe")


def _same_lane(one: Wanted, other: Wanted) -> bool:
    return (one.retailer, one.category) == (other.retailer, other.category)


def _check_gaps(jobs: Sequence[CrawlJob], transaction: "Transaction", *, force: bool) -> None:
    """Raises Conflict where one was crawled too lately; read in any case, so that two collide."""
    lanes = [_lane(job) for job in jobs]
    database = firestore.client()
    found = list(database.get_all(lanes, transaction=transaction, **firestore.limits()))
    if force:
        return
    gap = timedelta(minutes=settings().crawler_gap_minutes)
    for snapshot in found:
        fields = snapshot.to_dict()
        if fields is not None and fields["last_at"] + gap > jobs[0].created_at:
            again = rfc3339(fields["last_at"] + gap)
            raise Conflict(
                f"{fields['retailer']}, {fields['category']} was crawled less than "
                f"{gap.total_seconds() / 60:g} minutes ago: from {again} on, or with force."
            )


def _create(jobs: Sequence[CrawlJob], transaction: "Transaction") -> None:
    for job in jobs:
        transaction.create(job_store.reference(job.id), to_document(job))
        lane: dict[str, Any] = {
            "retailer": job.retailer,
            "category": job.category,
            "last_at": job.created_at,
            "job_id": job.id,
        }
        transaction.set(_lane(job), lane)


def _lane(job: CrawlJob) -> "DocumentReference":
    named = msgspec.json.encode([job.retailer, job.category])
    digest = hashlib.sha256(named).hexdigest()[:20]
    return firestore.client().collection(LANES).document(digest)
