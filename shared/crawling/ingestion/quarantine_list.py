"""The list of quarantined prices: one read a row."""

from shared.clients import firestore
from shared.crawling.ingestion import quarantine
from shared.crawling.ingestion.schemas import QuarantinePage, QuarantineQuery
from shared.edge.pages import narrowed, newest_first


def read_page(wanted: QuarantineQuery) -> QuarantinePage:
    """One page, newest first; raises BadRequest for a foreign cursor."""
    query = narrowed(firestore.client().collection(quarantine.COLLECTION), wanted, ["status"])
    page = newest_first(query, "created_at", wanted, "crawl-quarantine")
    entries = [quarantine.from_document(row.id, row.to_dict() or {}) for row in page.rows]
    return QuarantinePage([quarantine.view(entry) for entry in entries], page.next_cursor)
