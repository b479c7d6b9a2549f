"""/api/crawler/status/<job_id>: how far a crawl is."""

from shared.crawling.schemas import JobStatus
from shared.edge import Request, endpoint

crawler_status = endpoint(__name__, "/api/crawler/status/{job_id}", service_account="crawler")


@crawler_status.get(role="admin")
def read(request: Request) -> JobStatus:
    """The crawl as it is now; raises NotFound (404)."""
    from shared.crawling import job_store

    return JobStatus.of(job_store.read(request.path["job_id"]))
