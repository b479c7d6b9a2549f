"""Schedule: make Cloud Scheduler's jobs what the crawl schedules say."""

from shared.edge import Request, schedule


@schedule(__name__, service_account="crawler")
def repair_crawl_schedules(request: Request) -> None:  # noqa: ARG001 - a schedule takes a request
    """Creates, changes and removes jobs of crawl schedules where they differ, and no others."""
    from shared.clock import utc_now
    from shared.crawling import driving, schedules

    driving.repair(schedules.all_schedules, utc_now())
