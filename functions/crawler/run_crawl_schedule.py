"""Task, called by Cloud Scheduler too: a schedule's slot may have come."""

import msgspec

from shared.crawling.schedule_schemas import RunCrawlSchedule
from shared.edge import Request, task


@task(__name__, queue="schedules", timeout_seconds=60, service_account="crawler")
def run_crawl_schedule(request: Request[RunCrawlSchedule]) -> None:
    """Starts the crawl if a slot is due that nobody took; a call too early changes nothing."""
    from shared.crawling import dispatching

    by = msgspec.structs.replace(request.actor, action="crawl_job.scheduled")
    dispatching.run(request.body.schedule_id, by)
