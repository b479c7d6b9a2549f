"""The list of results, with links for a while, and their removal."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from shared.clients import firestore, storage
from shared.clock import Clock, rfc3339, utc_now
from shared.crawling.ingestion import objects, progress
from shared.crawling.ingestion.models import Ingestion, from_document, to_document
from shared.crawling.ingestion.schemas import ResultsPage, ResultsQuery, ResultView
from shared.edge.pages import narrowed, newest_first
from shared.edge.request import Actor
from shared.errors import Conflict, NotFound
from shared.system import audit

if TYPE_CHECKING:
    from google.cloud.firestore import Transaction

LINK_LIFETIME: Final = timedelta(minutes=15)
# On Google Cloud each link is signed by a call of its own.
PARALLEL: Final = 8
ABSENT: Final = "There is no such result."


def read_page(wanted: ResultsQuery, clock: Clock = utc_now) -> ResultsPage:
    """One page, newest first: a read a row; raises BadRequest for a foreign cursor."""
    query = narrowed(firestore.client().collection(progress.COLLECTION), wanted, ["retailer"])
    page = newest_first(query, "listed_at", wanted, "crawl-results")
    ingestions = [from_document(row.id, row.to_dict() or {}) for row in page.rows]
    expires_at = clock() + LINK_LIFETIME
    with ThreadPoolExecutor(PARALLEL) as pool:
        links = list(pool.map(_link, ingestions))
    views = [_view(*each, expires_at) for each in zip(ingestions, links, strict=True)]
    return ResultsPage(views, page.next_cursor)


def remove(job_id: str, by: Actor, clock: Clock = utc_now) -> None:
    """Removes what the job's pods stored, and its place in the list.

    What the catalogue took in stays, and so does each quarantined price. Raises NotFound, or
    Conflict while rows are being taken in.
    """

    def run(transaction: "Transaction") -> bool:
        known = progress.read(job_id, transaction)
        if known is None:
            raise NotFound(ABSENT)
        if known.status == "removed":
            return False
        if known.under_way:
            raise Conflict("The result is being taken in; try again when that has ended.")
        gone = msgspec.structs.replace(
            known, status="removed", object=None, sha256=None, refused=[], claimed_at=None
        )
        # Whole, so that it leaves the list.
        transaction.set(progress.reference(job_id), to_document(gone))
        told = {"retailer": known.retailer, "category": known.category, "rows": known.rows}
        resource = f"{progress.COLLECTION}/{job_id}"
        transaction.create(*audit.entry(by, resource, told, None, clock))
        return True

    new = firestore.in_transaction(run)
    # After the record, or a task that begins meanwhile would take in half of the rows. A call that
    # was cut off in between is finished by the same call, and what it misses goes with its age.
    objects.remove_all(job_id)
    if not new:
        raise NotFound(ABSENT)


def _link(ingestion: Ingestion) -> str | None:
    if ingestion.object is None:
        return None
    return storage.link(ingestion.object, LINK_LIFETIME, f"{ingestion.id}.ndjson.gz")


def _view(ingestion: Ingestion, link: str | None, expires_at: datetime) -> ResultView:
    stage = ingestion.status
    assert stage != "removed"  # noqa: S101 - for the type checker: those are not listed
    return ResultView(
        job_id=ingestion.id,
        retailer=ingestion.retailer,
        category=ingestion.category,
        status=ingestion.job_status,
        ingestion=stage,
        whole=ingestion.whole,
        rows=ingestion.rows,
        pages_done=ingestion.pages_done,
        pages_failed=ingestion.pages_failed,
        errors=ingestion.errors,
        **msgspec.structs.asdict(ingestion.counts),
        refused=ingestion.refused,
        error=ingestion.failure or ingestion.error,
        finished_at=rfc3339(ingestion.finished_at),
        size_bytes=ingestion.size_bytes,
        link=link,
        link_expires_at=rfc3339(expires_at) if link else None,
    )
