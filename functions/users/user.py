"""/api/admin/users/<uid>: read, change or remove one user."""

from shared.edge import Request, endpoint
from shared.users.admin_schemas import UserChange, UserRecord, view

user = endpoint(__name__, "/api/admin/users/{uid}", memory_mb=512, service_account="users")


@user.get(role="super_admin", etag=True)
def read(request: Request) -> UserRecord:
    """The user, with the version as ETag; raises NotFound (404)."""
    from shared.users import profiles

    return view(profiles.read(request.path["uid"]))


@user.put(role="super_admin", audit="user.updated", etag=True, if_match=True, raises=(409,))
def change(request: Request[UserChange]) -> UserRecord:
    """The changed user, without a session if role or access changed; raises Conflict (409)."""
    from shared.users import administration

    changed = administration.change(
        request.path["uid"], request.body, request.if_match, request.actor
    )
    return view(changed)


@user.delete(role="super_admin", audit="user.deleted", if_match=True, raises=(409,))
def remove(request: Request) -> None:
    """Ends every way in at once and erases the person's data; raises Conflict (409)."""
    from shared.users import administration

    administration.remove(request.path["uid"], request.if_match, request.actor)
