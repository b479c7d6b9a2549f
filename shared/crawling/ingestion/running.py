"""Takes the rows of a crawl in, page by page; killed anywhere it goes on at the next page.

Each page is one transaction that also moves the ingestion's own progress, so of two tasks at once
one finds the page done and leaves the rest to the other.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore, tasks
from shared.clock import Clock, epoch_micros, utc_now
from shared.crawling.ingestion import objects, offers, pages, progress, reading, telling
from shared.crawling.ingestion.models import MOST_REFUSED, Counts, Ingestion, begun
from shared.crawling.ingestion.schemas import IngestCrawl
from shared.crawling.models import CrawlJob
from shared.edge import cache
from shared.edge.request import Actor
from shared.errors import DependencyError, ShoppleError
from shared.products import price_changes, statistics
from shared.products.proposal_judging import Judge
from shared.system import audit, configuration

if TYPE_CHECKING:
    from google.cloud.firestore import Transaction

log = logging.getLogger(__name__)

QUEUE: Final = "ingestion"
FUNCTION: Final = "ingest_crawl"
# Well under the task's own deadline; what is left is another task's.
RUN_SECONDS: Final = 240.0
GIVEN_UP: Final = "The rows could not be taken in; send the dead letter again."


class _Overtaken(Exception):
    """Another task has taken this page in, or the result was deleted."""


def request(job_id: str, name: str) -> None:
    """Enqueues the task; the same name is taken once an hour."""
    tasks.enqueue(QUEUE, FUNCTION, msgspec.json.encode(IngestCrawl(job_id)), name=name)


def ingest(
    job_id: str, by: Actor, clock: Clock = utc_now, run_seconds: float = RUN_SECONDS
) -> None:
    """Takes in what the ended job found, and tells people; what was done before stays as it is.

    Raises a DependencyError or Conflict, to be called again.
    """
    job = progress.read_job(job_id)
    if job is None:
        # Removed for its age: nobody is owed its rows any more.
        progress.settle(job_id)
        return
    if not job.ended:
        return
    give_up_at = time.monotonic() + run_seconds
    ingestion = progress.read(job_id)
    try:
        ingestion = ingestion or progress.begin(begun(job, reading.manifest(job)))
        if not _take_in(ingestion, by, clock, give_up_at):
            return
    except reading.Broken as error:
        log.exception("A crawl's result is broken", extra={"context": {"job": job_id}})
        _break(job, ingestion, str(error))
    objects.remove_superseded(job)
    telling.tell(job_id, clock)
    progress.settle(job_id)


def _break(job: CrawlJob, ingestion: Ingestion | None, why: str) -> None:
    if ingestion is None:
        failed = msgspec.structs.replace(begun(job, None), status="failed", failure=why)
        progress.begin(failed)
    progress.fail(job.id, why)


def give_up(job_id: str) -> None:
    """Says that it failed, where rows are left or people do not know, and leaves it alone."""
    known = progress.fail(job_id, GIVEN_UP)
    if known is not None and known.status == "failed":
        with suppress(ShoppleError):
            telling.tell(job_id)
    telling.give_up(job_id)
    progress.settle(job_id)


def _take_in(ingestion: Ingestion, by: Actor, clock: Clock, give_up_at: float) -> bool:
    """Whether all rows are taken in, or there is nothing to take in."""
    if ingestion.status in ("done", "removed") or ingestion.object is None:
        return True
    settings = configuration.current().configuration
    crawl = pages.Crawl(
        job_id=ingestion.id,
        retailer=ingestion.retailer,
        category=ingestion.category,
        seen_at=ingestion.seen_at,
        by=by,
        factor=settings.thresholds.unlikely_price_factor,
    )
    begun_at = taken = ingestion.counts.rows
    for numbered in _pages(reading.rows(ingestion, taken)):
        # One page at least, or a task that comes again would ask for itself for ever.
        if taken > begun_at and time.monotonic() > give_up_at:
            request(ingestion.id, f"{ingestion.id}-{taken}")
            return False
        try:
            _take_in_page(crawl, numbered, Judge(settings), clock)
        except _Overtaken:
            return False
        taken = numbered[-1][0]
    progress.change(ingestion.id, _done)
    statistics.request_refresh()
    return True


def _pages(rows: Iterator[reading.Numbered]) -> Iterator[list[reading.Numbered]]:
    while page := list(islice(rows, pages.PAGE_ROWS)):
        yield page


def _done(known: Ingestion) -> Ingestion:
    if known.status == "removed":
        return known
    return msgspec.structs.replace(known, status="done", failure=None)


def _take_in_page(
    crawl: pages.Crawl,
    numbered: Sequence[reading.Numbered],
    judge: Judge,
    clock: Clock,
) -> None:
    """Commits one page; raises _Overtaken where it is not the next one."""
    rows, refused = _readable(crawl, numbered)
    committed: Any = None

    def run(transaction: "Transaction") -> pages.Done:
        nonlocal committed
        committed = transaction
        known = progress.read(crawl.job_id, transaction)
        if known is None or known.status == "removed":
            raise _Overtaken
        if known.counts.rows != numbered[0][0] - 1:
            raise _Overtaken
        # Asked page by page: a younger crawl may have ended since the last one.
        late = progress.overtaken(
            known.id, known.retailer, known.category, known.finished_at, transaction
        )
        page = msgspec.structs.replace(crawl, late=late)
        done = pages.take_in(transaction, page, rows, judge, clock())
        progress.store(transaction, _moved_on(known, done, refused))
        _tell_audit(transaction, crawl, numbered, done)
        return done

    done = firestore.in_transaction(run)
    if done.touched:
        cache.bump("products", epoch_micros(committed.commit_time))
    if done.debt is not None:
        # No product was written whose event would ask for it; else the sweep does.
        with suppress(DependencyError):
            price_changes.request(done.debt, done.debt)


def _moved_on(known: Ingestion, done: pages.Done, refused: Sequence[str]) -> Ingestion:
    return msgspec.structs.replace(
        known,
        status="running",
        failure=None,
        counts=known.counts.plus(done.counts).plus(Counts(failed=len(refused))),
        refused=[*known.refused, *refused][:MOST_REFUSED],
    )


def _tell_audit(
    transaction: "Transaction",
    crawl: pages.Crawl,
    numbered: Sequence[reading.Numbered],
    done: pages.Done,
) -> None:
    """One entry for a page that priced products; proposals have one of their own."""
    if not done.priced and not done.quarantined:
        return
    after = {
        "rows": [numbered[0][0], numbered[-1][0]],
        "priced": list(done.priced),
        "quarantined": list(done.quarantined),
    }
    resource = f"{progress.COLLECTION}/{crawl.job_id}"
    transaction.create(*audit.entry(crawl.by, resource, None, after))


def _readable(
    crawl: pages.Crawl, numbered: Sequence[reading.Numbered]
) -> tuple[list[offers.Found], list[str]]:
    """The rows that are offers, and why the others are none."""
    rows, refused = [], []
    for number, row in numbered:
        try:
            rows.append(offers.found(number, row, crawl.retailer, crawl.category))
        except offers.Refused as error:
            refused.append(f"Row {number}: {error}"[:300])
    return rows, refused
