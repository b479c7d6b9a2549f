"""`crawl_ingestions/{job_id}`: read, begun once, moved on with each page, ended."""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.crawling.ingestion.models import Ingestion, from_document, to_document
from shared.crawling.models import CrawlJob
from shared.crawling.models import from_document as job_of
from shared.products import outbox

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, Transaction

COLLECTION: Final = "crawl_ingestions"
JOBS: Final = "crawl_jobs"
KIND: Final = "crawl_ingestion"
# Of those that ended since: the crawl itself may be one, and some have no rows.
MOST_YOUNGER: Final = 10


def reference(job_id: str) -> "DocumentReference":
    """Where a job's ingestion is stored."""
    return firestore.client().collection(COLLECTION).document(job_id)


def read_job(job_id: str) -> CrawlJob | None:
    """The job as it is now."""
    with firestore.errors_mapped():
        document = firestore.client().collection(JOBS).document(job_id)
        fields = document.get(**firestore.limits()).to_dict()
    return None if fields is None else job_of(job_id, fields)


def read(job_id: str, transaction: "Transaction | None" = None) -> Ingestion | None:
    """The job's ingestion as it is now, None before the first.

    In a transaction Google's own errors are raised, by which that is begun again.
    """
    with nullcontext() if transaction else firestore.errors_mapped():
        document = reference(job_id)
        fields = document.get(transaction=transaction, **firestore.limits()).to_dict()
    return None if fields is None else from_document(job_id, fields)


def begin(wanted: Ingestion) -> Ingestion:
    """The ingestion as it stands, stored as `wanted` where there is none yet."""

    def run(transaction: "Transaction") -> Ingestion:
        known = read(wanted.id, transaction)
        if known is None:
            store(transaction, wanted)
        return known or wanted

    return firestore.in_transaction(run)


def store(transaction: "Transaction", ingestion: Ingestion) -> None:
    """Stores it with the next step of its debt: while it moves on, the sweep has no part in it."""
    transaction.set(reference(ingestion.id), to_document(ingestion))
    owe(transaction, ingestion.id)


def owe(transaction: "Transaction", job_id: str) -> None:
    """Has the sweep look after the ingestion, from half a minute on."""
    transaction.set(outbox.document(KIND, job_id), outbox.fields(KIND, job_id, 1))


def change(job_id: str, changed: Callable[[Ingestion], Ingestion]) -> Ingestion | None:
    """The ingestion with a change that keeps its debt as it is; None where there is none."""

    def run(transaction: "Transaction") -> Ingestion | None:
        known = read(job_id, transaction)
        if known is None:
            return None
        wanted = changed(known)
        if wanted is not known:
            transaction.set(reference(job_id), to_document(wanted))
        return wanted

    return firestore.in_transaction(run)


def fail(job_id: str, why: str) -> Ingestion | None:
    """Says why the rows cannot be taken in, unless they are; what stands now."""

    def failed(known: Ingestion) -> Ingestion:
        if known.status in ("done", "removed"):
            return known
        return msgspec.structs.replace(known, status="failed", failure=why)

    return change(job_id, failed)


def settle(job_id: str) -> None:
    """Takes the debt off the outbox."""
    with firestore.errors_mapped():
        outbox.document(KIND, job_id).delete(**firestore.limits())


def overtaken(
    job_id: str, retailer: str, category: str, since: datetime, transaction: "Transaction"
) -> bool:
    """Whether another crawl of the same ended with rows since then: a read or a few.

    By the jobs, since ends may be told in any order: what nobody has taken in yet is younger too.
    """
    from google.cloud.firestore import FieldFilter

    query: Any = firestore.client().collection(JOBS)
    query = query.where(filter=FieldFilter("retailer", "==", retailer))
    query = query.where(filter=FieldFilter("category", "==", category))
    query = query.where(filter=FieldFilter("finished_at", ">", since)).limit(MOST_YOUNGER)
    found = query.stream(transaction=transaction, **firestore.limits())
    return any(each.id != job_id and each.get("manifest") for each in found)
