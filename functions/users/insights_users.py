"""/api/insights/users: who was active, day by day."""

from shared.edge import Request, endpoint
from shared.users.insight_schemas import UsersInsight, UsersQuery

insights_users = endpoint(__name__, "/api/insights/users")


@insights_users.get(role="admin")
def read(request: Request[None, UsersQuery]) -> UsersInsight:
    """Activity by day and the 50 most active users, as the latest recount found them."""
    from shared.users import insights

    return insights.users(request.query.days)
