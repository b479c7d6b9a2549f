"""Task: take in what a crawl found."""

import msgspec

from shared.crawling.ingestion.schemas import IngestCrawl
from shared.edge import Request, task


def _give_up(request: Request[IngestCrawl]) -> None:
    from shared.crawling.ingestion import running

    running.give_up(request.body.job_id)


@task(
    __name__,
    queue="ingestion",
    memory_mb=512,
    concurrency=1,
    secrets=("SLACK_WEBHOOK_URL",),
    given_up=_give_up,
)
def ingest_crawl(request: Request[IngestCrawl]) -> None:
    """Makes prices and proposals of the rows, and tells Slack; goes on where it was cut off."""
    from shared.crawling.ingestion import running

    by = msgspec.structs.replace(request.actor, action="crawl.ingested")
    running.ingest(request.body.job_id, by)
