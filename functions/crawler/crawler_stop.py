"""/api/crawler/stop/<job_id>: end a crawl."""

from shared.crawling.schemas import JobStatus
from shared.edge import Request, endpoint

crawler_stop = endpoint(
    __name__, "/api/crawler/stop/{job_id}", memory_mb=512, service_account="crawler"
)


@crawler_stop.post(role="admin", audit="crawl.stopped", raises=(409,))
def stop(request: Request) -> JobStatus:
    """The crawl, stopping or ended, also one that is stuck; the same again changes nothing."""
    from shared.crawling import jobs

    return JobStatus.of(jobs.stop(request.path["job_id"], request.actor))
