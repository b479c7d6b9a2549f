"""Pages of crawls, newest first: as many reads as rows."""

from typing import TYPE_CHECKING, Final

from shared.clients import firestore
from shared.crawling import job_store
from shared.crawling.models import from_document
from shared.crawling.schemas import JobPage, JobStatus, ListJobs
from shared.edge.pages import newest_first

if TYPE_CHECKING:
    from google.cloud.firestore import Query

FILTERS: Final = ("status", "retailer")


def list_jobs(wanted: ListJobs) -> JobPage:
    """One page; raises BadRequest for a foreign cursor."""
    page = newest_first(_query(wanted), "created_at", wanted, "crawls")
    jobs = [from_document(row.id, row.to_dict() or {}) for row in page.rows]
    return JobPage([JobStatus.of(job) for job in jobs], page.next_cursor)


def _query(wanted: ListJobs) -> "Query":
    from google.cloud.firestore import FieldFilter

    query: Query = firestore.client().collection(job_store.COLLECTION)  # type: ignore[assignment]
    for name in FILTERS:
        if (value := getattr(wanted, name)) is not None:
            query = query.where(filter=FieldFilter(name, "==", value))
    return query
