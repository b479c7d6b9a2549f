"""/api/crawler/start-multiple: a group of crawls, of which only so many run at once."""

from shared.crawling.schemas import StartCrawls, Started, StartedGroup
from shared.edge import Request, endpoint

crawler_start_multiple = endpoint(
    __name__, "/api/crawler/start-multiple", memory_mb=512, service_account="crawler"
)


@crawler_start_multiple.post(
    role="admin", limit="heavy", audit="crawls.started", answers={202: StartedGroup}, raises=(409,)
)
def start(request: Request[StartCrawls]) -> StartedGroup:
    """All of them queued, or none; Conflict (409) if one was crawled lately, unless forced."""
    from shared.crawling import jobs

    wanted = request.body
    group_id, started = jobs.start_multiple(
        wanted.jobs, wanted.concurrency, force=wanted.force, by=request.actor
    )
    return StartedGroup(group_id, [Started.of(job) for job in started])
