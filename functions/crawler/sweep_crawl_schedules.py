"""Schedule: run what was missed, and have new schedules driven that are not yet."""

import msgspec

from shared.edge import Request, schedule


@schedule(__name__, service_account="crawler")
def sweep_crawl_schedules(request: Request) -> None:
    """Starts each schedule once whose slots passed without a call, and drives what is owed."""
    from shared.crawling import dispatching

    dispatching.sweep(msgspec.structs.replace(request.actor, action="crawl_job.scheduled"))
