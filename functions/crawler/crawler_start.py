"""/api/crawler/start: one crawl."""

from shared.crawling.schemas import StartCrawl, Started
from shared.edge import Request, endpoint

crawler_start = endpoint(__name__, "/api/crawler/start", memory_mb=512, service_account="crawler")


@crawler_start.post(
    role="admin", limit="heavy", audit="crawl.started", answers={202: Started}, raises=(409,)
)
def start(request: Request[StartCrawl]) -> Started:
    """The queued crawl; Conflict (409) if the last one was lately, unless forced."""
    from shared.crawling import jobs

    wanted = request.body
    job = jobs.start(
        wanted.retailer,
        wanted.category,
        max_pages=wanted.max_pages,
        force=wanted.force,
        by=request.actor,
    )
    return Started.of(job)
