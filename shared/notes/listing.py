"""Pages of a user's notes: pinned first, then by the newest change.

A page reads its rows; a search reads 200 rows at most, and its cursor goes on from there.
"""

from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.clock import epoch_micros, from_epoch_micros
from shared.edge.cursors import read_cursor, write_cursor
from shared.notes.models import Note, from_document
from shared.notes.notebook import owned_by, reference
from shared.notes.schemas import ListNotes, NotePage, view

if TYPE_CHECKING:
    from google.cloud.firestore import Query

SEARCH_READS: Final = 200


def list_notes(uid: str, wanted: ListNotes) -> NotePage:
    """One page of the user's notes; raises BadRequest for a foreign cursor."""
    reads = wanted.limit if wanted.q is None else SEARCH_READS
    query = _query(uid, wanted).limit(reads)
    with firestore.errors_mapped():
        found = [from_document(s.id, s.to_dict() or {}) for s in query.stream(**firestore.limits())]
    fitting = [note for note in found if wanted.q is None or note.holds(wanted.q)]
    shown = fitting[: wanted.limit]
    last = None
    if len(fitting) > wanted.limit:
        last = shown[-1]
    elif len(found) == reads:
        last = found[-1]
    return NotePage([view(note) for note in shown], _next_cursor(uid, wanted, last))


def _query(uid: str, wanted: ListNotes) -> "Query":
    from google.cloud.firestore import FieldFilter

    query = owned_by(uid)
    if wanted.tag is not None:
        tag = wanted.tag.lower()
        query = query.where(filter=FieldFilter("tags", "array_contains", tag))
    for field in ("pinned", "updated_at", "__name__"):
        query = query.order_by(field, direction="DESCENDING")
    if wanted.cursor is None:
        return query
    pinned, micros, note_id = read_cursor(wanted.cursor, _bound_to(uid, wanted))
    position: dict[str, Any] = {
        "pinned": pinned,
        "updated_at": from_epoch_micros(micros),
        "__name__": reference(note_id),
    }
    return query.start_after(position)


def _next_cursor(uid: str, wanted: ListNotes, last: Note | None) -> str | None:
    if last is None:
        return None
    position = [last.pinned, epoch_micros(last.updated_at), last.id]
    return write_cursor(position, _bound_to(uid, wanted))


def _bound_to(uid: str, wanted: ListNotes) -> str:
    return msgspec.json.encode(["notes", uid, wanted.q, wanted.tag]).decode()
