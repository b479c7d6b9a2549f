"""/api/crawler/quarantine: crawled prices that may be untrue."""

from shared.crawling.ingestion.schemas import QuarantinePage, QuarantineQuery
from shared.edge import Request, endpoint

crawler_quarantine = endpoint(__name__, "/api/crawler/quarantine", service_account="crawler")


@crawler_quarantine.get(role="admin", raises=(400,))
def read_page(request: Request[None, QuarantineQuery]) -> QuarantinePage:
    """One page of those that wait, or were decided, newest first; raises BadRequest (400)."""
    from shared.crawling.ingestion import quarantine_list

    return quarantine_list.read_page(request.query)
