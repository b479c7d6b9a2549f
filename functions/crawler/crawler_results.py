"""/api/crawler/results: what crawls that ended have found."""

from shared.crawling.ingestion.schemas import ResultsPage, ResultsQuery
from shared.edge import Request, endpoint

crawler_results = endpoint(__name__, "/api/crawler/results", service_account="crawler")


@crawler_results.get(role="admin", raises=(400,))
def read_page(request: Request[None, ResultsQuery]) -> ResultsPage:
    """One page, newest first, with links for a while; raises BadRequest (400)."""
    from shared.crawling.ingestion import results

    return results.read_page(request.query)
