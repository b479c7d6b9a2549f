"""The list of quarantined prices: one read a row."""

from typing import TYPE_CHECKING, Final

from shared.clients import firestore
from shared.clock import epoch_micros, from_epoch_micros
from shared.crawling.ingestion import quarantine
from shared.crawling.ingestion.schemas import QuarantinePage, QuarantineQuery
from shared.edge.cursors import read_cursor, write_cursor

if TYPE_CHECKING:
    from google.cloud.firestore import Query

_LIST: Final = "crawl-quarantine"


def read_page(wanted: QuarantineQuery) -> QuarantinePage:
    """One page, newest first; raises BadRequest for a foreign cursor."""
    bound_to = f"{_LIST} {wanted.status}"
    query = _query(wanted)
    if wanted.cursor:
        micros, entry_id = read_cursor(wanted.cursor, bound_to)
        document = quarantine.reference(entry_id)
        at = {"created_at": from_epoch_micros(micros), "__name__": document}
        query = query.start_after(at)
    with firestore.errors_mapped():
        found = list(query.limit(wanted.limit).stream(**firestore.limits()))
    entries = [quarantine.from_document(s.id, s.to_dict() or {}) for s in found]
    cursor = None
    if len(entries) == wanted.limit:
        last = entries[-1]
        cursor = write_cursor([epoch_micros(last.created_at), last.id], bound_to)
    return QuarantinePage([quarantine.view(entry) for entry in entries], cursor)


def _query(wanted: QuarantineQuery) -> "Query":
    from google.cloud.firestore import FieldFilter

    collection = firestore.client().collection(quarantine.COLLECTION)
    query = collection.where(filter=FieldFilter("status", "==", wanted.status))
    query = query.order_by("created_at", direction="DESCENDING")
    return query.order_by("__name__", direction="DESCENDING")
