"""Pages of crawls, newest first: as many reads as rows."""

from typing import TYPE_CHECKING, Final

import msgspec

from shared.clients import firestore
from shared.clock import epoch_micros, from_epoch_micros
from shared.crawling import job_store
from shared.crawling.models import from_document
from shared.crawling.schemas import JobPage, JobStatus, ListJobs
from shared.edge.cursors import read_cursor, write_cursor

if TYPE_CHECKING:
    from google.cloud.firestore import Query

FILTERS: Final = ("status", "retailer")


def list_jobs(wanted: ListJobs) -> JobPage:
    """One page; raises BadRequest for a foreign cursor."""
    with firestore.errors_mapped():
        found = list(_query(wanted).limit(wanted.limit).stream(**firestore.limits()))
    jobs = [from_document(s.id, s.to_dict() or {}) for s in found]
    cursor = None
    if len(jobs) == wanted.limit:
        position = [epoch_micros(jobs[-1].created_at), jobs[-1].id]
        cursor = write_cursor(position, _bound_to(wanted))
    return JobPage([JobStatus.of(job) for job in jobs], cursor)


def _query(wanted: ListJobs) -> "Query":
    from google.cloud.firestore import FieldFilter

    query: Query = firestore.client().collection(job_store.COLLECTION)  # type: ignore[assignment]
    for name in FILTERS:
        if (value := getattr(wanted, name)) is not None:
            query = query.where(filter=FieldFilter(name, "==", value))
    query = query.order_by("created_at", direction="DESCENDING")
    query = query.order_by("__name__", direction="DESCENDING")
    if wanted.cursor is None:
        return query
    micros, job_id = read_cursor(wanted.cursor, _bound_to(wanted))
    position = {
        "created_at": from_epoch_micros(micros),
        "__name__": job_store.reference(job_id),
    }
    return query.start_after(position)


def _bound_to(wanted: ListJobs) -> str:
    return msgspec.json.encode(["crawls", wanted.status, wanted.retailer]).decode()
