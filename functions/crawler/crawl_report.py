"""/internal/crawler/jobs/<job_id>/report: what a pod says, and what it is told."""

from shared.crawling.background_schemas import PodAnswer, PodReport
from shared.edge import Request, endpoint

crawl_report = endpoint(
    __name__,
    "/internal/crawler/jobs/{job_id}/report",
    memory_mb=512,
    service_account="crawler",
    for_pods=True,
)


@crawl_report.post(
    role="internal", limit="instance", csrf=False, idempotency_key=False, raises=(409,)
)
def hear(request: Request[PodReport]) -> PodAnswer:
    """Whether to go on; Conflict (409) for a pod whose word does not count any more."""
    from shared.crawling import pods

    return pods.hear(request.path["job_id"], request.body)
