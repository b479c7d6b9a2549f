"""/api/admin/create-user: give somebody access."""

from shared.edge import Request, endpoint
from shared.users.admin_schemas import Invitation, InvitedUser

create_user = endpoint(
    __name__,
    "/api/admin/create-user",
    memory_mb=512,
    service_account="users",
    secrets=("SECRET_KEY", "UPSTASH_REDIS_REST_TOKEN", "SMTP_URL"),
)


@create_user.post(
    role="super_admin",
    limit="heavy",
    audit="user.invited",
    answers={201: InvitedUser},
    etag=True,
    raises=(409,),
)
def invite(request: Request[Invitation]) -> InvitedUser:
    """The user, to whom a link is mailed; raises Conflict (409) for who has access already."""
    from shared.users import inviting

    return inviting.invite(request.body, request.actor)
