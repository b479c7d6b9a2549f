"""/api/admin/users/<uid>/data: what is kept of one person."""

from shared.edge import Request, endpoint
from shared.users.admin_schemas import PersonalData

user_data = endpoint(
    __name__, "/api/admin/users/{uid}/data", memory_mb=512, service_account="users"
)


@user_data.get(role="super_admin", limit="heavy", audit="user.exported")
def collect(request: Request) -> PersonalData:
    """The person's data in one document; raises NotFound (404)."""
    from shared.users import personal_data

    return personal_data.collect(request.path["uid"], request.actor)
