"""The jobs of Cloud Scheduler, declared once."""

import msgspec

from shared.clients.scheduler import Job
from shared.config import settings

# Ends every description, and so tells our jobs from those that others made in the project.
MARKER = "[shopple-admin scheduler]"


class Schedule(msgspec.Struct, frozen=True):
    """A private function and when it is called; missed times are not made up for."""

    name: str
    purpose: str
    schedule: str
    function: str
    time_zone: str = "Asia/Colombo"
    attempt_deadline_seconds: float = 180
    retries: int = 0
    paused: bool = False


SCHEDULES = (
    # No retries: the next minute is one.
    Schedule(
        name="sweep-outbox",
        purpose="Finishes what a lost trigger or task left undone.",
        schedule="* * * * *",
        function="sweep_outbox",
        attempt_deadline_seconds=60,
    ),
    # Likewise: within a minute of its lease's end a crawl is ended or begun anew.
    Schedule(
        name="reap-crawls",
        purpose="Ends crawls whose pod was lost, and removes pods of no crawl.",
        schedule="* * * * *",
        function="reap_crawls",
        attempt_deadline_seconds=120,
    ),
    # The crawl schedules' own jobs are made as people make them (shared/crawling/driving.py).
    Schedule(
        name="sweep-crawl-schedules",
        purpose="Starts crawls whose slot nobody called for.",
        schedule="*/5 * * * *",
        function="sweep_crawl_schedules",
        attempt_deadline_seconds=120,
    ),
    Schedule(
        name="repair-crawl-schedules",
        purpose="Makes the crawl schedules' own jobs what the schedules say.",
        schedule="50 * * * *",
        function="repair_crawl_schedules",
        attempt_deadline_seconds=120,
    ),
    Schedule(
        name="sweep-batches",
        purpose="Goes on with classifications that stand still, and closes the books of calls.",
        schedule="* * * * *",
        function="sweep_batches",
        attempt_deadline_seconds=60,
    ),
    Schedule(
        name="recount-statistics",
        purpose="Counts the whole catalogue anew, should a change ever have gone unnoticed.",
        schedule="15 3 * * *",
        function="recount_statistics",
        attempt_deadline_seconds=60,
        retries=3,
    ),
    Schedule(
        name="recount-insights",
        purpose="Counts the users' activity anew, so that days close of which nobody asks.",
        schedule="25 3 * * *",
        function="recount_insights",
        attempt_deadline_seconds=60,
        retries=3,
    ),
    Schedule(
        name="purge-products",
        purpose="Removes for good what was deleted long ago.",
        schedule="45 3 * * *",
        function="purge_products",
        retries=3,
    ),
    Schedule(
        name="begin-nightly-export",
        purpose="Has the catalogue written to Storage.",
        schedule="30 1 * * *",
        function="begin_nightly_export",
        attempt_deadline_seconds=60,
        retries=3,
    ),
    Schedule(
        name="renew-price-analytics",
        purpose="Computes the dashboard of prices anew, since prices grow old without a write.",
        schedule="0 4 * * *",
        function="renew_price_analytics",
        attempt_deadline_seconds=60,
        retries=3,
    ),
    # Once: what a failed run did not learn, the next night's does.
    Schedule(
        name="retrain-matcher",
        purpose="Trains the matcher on the catalogue and on what people decided.",
        schedule="30 2 * * *",
        function="retrain_matcher",
        attempt_deadline_seconds=1200,
    ),
    Schedule(
        name="apply-retention",
        purpose="Removes sessions, audit entries and results that are kept no longer.",
        schedule="15 4 * * *",
        function="apply_retention",
        retries=3,
    ),
    # More than once: what was told already is not told again, and what failed is made up for.
    Schedule(
        name="report-week",
        purpose="Tells Slack about the week that ended.",
        schedule="15 8-11 * * 1",
        function="report_week",
        attempt_deadline_seconds=60,
    ),
)


def declared_jobs() -> list[Job]:
    """The jobs that this project should have."""
    configured = settings()
    return [
        Job(
            name=schedule.name,
            description=f"{schedule.purpose} {MARKER}",
            schedule=schedule.schedule,
            time_zone=schedule.time_zone,
            url=configured.function_url(schedule.function),
            invoker=configured.tasks_invoker,
            audience=configured.audience(schedule.function),
            body=b"{}",
            attempt_deadline_seconds=schedule.attempt_deadline_seconds,
            retries=schedule.retries,
            paused=schedule.paused,
        )
        for schedule in SCHEDULES
    ]
