"""Pages of users, the newest first: a page reads its rows and no more."""

from shared.clients import firestore
from shared.edge.pages import newest_first
from shared.users.admin_schemas import ListUsers, UserPage, view
from shared.users.profiles import COLLECTION, from_document


def list_users(wanted: ListUsers) -> UserPage:
    """One page of the users; raises BadRequest for a foreign cursor."""
    page = newest_first(firestore.client().collection(COLLECTION), "created_at", wanted, COLLECTION)
    found = [from_document(row.id, row.to_dict() or {}) for row in page.rows]
    return UserPage([view(profile) for profile in found], page.next_cursor)
