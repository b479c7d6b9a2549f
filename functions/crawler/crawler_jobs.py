"""/api/crawler/jobs: every crawl, newest first."""

from shared.crawling.schemas import JobPage, ListJobs
from shared.edge import Request, endpoint

crawler_jobs = endpoint(__name__, "/api/crawler/jobs", service_account="crawler")


@crawler_jobs.get(role="admin", raises=(400,))
def read_page(request: Request[None, ListJobs]) -> JobPage:
    """One page, newest first; raises BadRequest (400) for a foreign cursor."""
    from shared.crawling import job_listing

    return job_listing.list_jobs(request.query)
