"""/api/crawler/quarantine/<entry_id>: decide on one price."""

from shared.crawling.ingestion.schemas import QuarantineDecision, QuarantineView
from shared.edge import Request, endpoint

crawler_quarantined = endpoint(
    __name__, "/api/crawler/quarantine/{entry_id}", service_account="crawler", memory_mb=512
)


@crawler_quarantined.post(role="admin", audit="crawl_quarantine.decided", raises=(409,))
def decide(request: Request[QuarantineDecision]) -> QuarantineView:
    """The decided price; raises NotFound (404) or, where it cannot be so, Conflict (409)."""
    from shared.crawling.ingestion import quarantine, releasing

    entry_id = request.path["entry_id"]
    return quarantine.view(releasing.decide(entry_id, request.body.decision, request.actor))
