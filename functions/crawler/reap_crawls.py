"""Schedule: end crawls whose pod was lost."""

from shared.edge import Request, schedule


@schedule(
    __name__,
    memory_mb=512,
    timeout_seconds=120,
    service_account="crawler",
    secrets=("SLACK_WEBHOOK_URL",),
)
def reap_crawls(request: Request) -> None:  # noqa: ARG001 - a schedule takes a request
    """Ends what is overdue or begins it anew, and removes pods that belong to no crawl."""
    from shared.crawling import reaping

    reaping.sweep()
