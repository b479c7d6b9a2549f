"""Pages of a user's notes: pinned first, then by the newest change.

A page reads its rows; a search reads 200 rows at most, and its cursor goes on from there.
"""

from typing import TYPE_CHECKING, Final

from shared.edge.pages import Order
from shared.notes.models import from_document
from shared.notes.notebook import owned_by
from shared.notes.schemas import ListNotes, NotePage, view

if TYPE_CHECKING:
    from google.cloud.firestore import Query

SEARCH_READS: Final = 200


def list_notes(uid: str, wanted: ListNotes) -> NotePage:
    """One page of the user's notes; raises BadRequest for a foreign cursor."""
    order = Order(("pinned", "updated_at"), wanted, f"notes {uid}")
    page = order.page(_query(uid, wanted), wanted.limit if wanted.q is None else SEARCH_READS)
    found = [(row, from_document(row.id, row.to_dict() or {})) for row in page.rows]
    fitting = [(row, note) for row, note in found if wanted.q is None or note.holds(wanted.q)]
    shown = fitting[: wanted.limit]
    more = len(fitting) > len(shown)
    next_cursor = order.cursor_after(shown[-1][0]) if more else page.next_cursor
    return NotePage([view(note) for _, note in shown], next_cursor)


def _query(uid: str, wanted: ListNotes) -> "Query":
    from google.cloud.firestore import FieldFilter

    query = owned_by(uid)
    if wanted.tag is not None:
        query = query.where(filter=FieldFilter("tags", "array_contains", wanted.tag.lower()))
    return query
