"""/api/crawler/results/<job_id>: remove what one crawl stored."""

from shared.edge import Request, endpoint

crawler_result = endpoint(__name__, "/api/crawler/results/{job_id}", service_account="crawler")


@crawler_result.delete(role="admin", audit="crawl_result.deleted", raises=(409,))
def remove(request: Request) -> None:
    """Removes it; the catalogue keeps what it took in. Raises NotFound (404), Conflict (409)."""
    from shared.crawling.ingestion import results

    results.remove(request.path["job_id"], request.actor)
