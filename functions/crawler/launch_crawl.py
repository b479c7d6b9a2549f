"""Task: start the pod of a crawl."""

from shared.crawling.background_schemas import LaunchCrawl
from shared.edge import Request, task


def _give_up(request: Request[LaunchCrawl]) -> None:
    from shared.crawling import launching

    launching.give_up(request.body.job_id, request.body.token)


@task(
    __name__,
    queue="crawls",
    memory_mb=512,
    timeout_seconds=60,
    concurrency=4,
    service_account="crawler",
    given_up=_give_up,
)
def launch_crawl(request: Request[LaunchCrawl]) -> None:
    """Has the cluster run the pod, if it is still wanted."""
    from shared.crawling import launching

    launching.launch(request.body.job_id, request.body.token)
