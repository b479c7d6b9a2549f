"""Pages of users, the newest first: a page reads its rows and no more."""

from shared.clients import firestore
from shared.clock import epoch_micros, from_epoch_micros
from shared.edge.cursors import read_cursor, write_cursor
from shared.users.admin_schemas import ListUsers, UserPage, view
from shared.users.profiles import COLLECTION, from_document, reference

BOUND_TO = "users"


def list_users(wanted: ListUsers) -> UserPage:
    """One page of the users; raises BadRequest for a foreign cursor."""
    query = firestore.client().collection(COLLECTION).order_by("created_at", direction="DESCENDING")
    query = query.order_by("__name__", direction="DESCENDING").limit(wanted.limit)
    if wanted.cursor is not None:
        micros, uid = read_cursor(wanted.cursor, BOUND_TO)
        position = {"created_at": from_epoch_micros(micros), "__name__": reference(uid)}
        query = query.start_after(position)
    with firestore.errors_mapped():
        found = [from_document(s.id, s.to_dict() or {}) for s in query.stream(**firestore.limits())]
    next_cursor = None
    if len(found) == wanted.limit:
        last = found[-1]
        next_cursor = write_cursor([epoch_micros(last.created_at), last.uid], BOUND_TO)
    return UserPage([view(profile) for profile in found], next_cursor)
