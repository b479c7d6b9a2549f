"""Pages of crawls, newest first: as many reads as rows."""

from typing import Final

from shared.clients import firestore
from shared.crawling import job_store
from shared.crawling.models import from_document
from shared.crawling.schemas import JobPage, JobStatus, ListJobs
from shared.edge.pages import narrowed, newest_first

FILTERS: Final = ("status", "retailer")


def list_jobs(wanted: ListJobs) -> JobPage:
    """One page; raises BadRequest for a foreign cursor."""
    query = narrowed(firestore.client().collection(job_store.COLLECTION), wanted, FILTERS)
    page = newest_first(query, "created_at", wanted, "crawls")
    jobs = [from_document(row.id, row.to_dict() or {}) for row in page.rows]
    return JobPage([JobStatus.of(job) for job in jobs], page.next_cursor)
