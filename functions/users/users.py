"""/api/admin/users: everybody who has, or had, access."""

from shared.edge import Request, endpoint
from shared.users.admin_schemas import ListUsers, UserPage

users = endpoint(__name__, "/api/admin/users", service_account="users")


@users.get(role="super_admin", raises=(400,))
def read_page(request: Request[None, ListUsers]) -> UserPage:
    """One page, newest first; raises BadRequest (400) for a foreign cursor."""
    from shared.users.listing import list_users

    return list_users(request.query)
