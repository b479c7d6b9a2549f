"""/api/insights/growth: sign-ups, active users and retention, week by week."""

from shared.edge import Request, endpoint
from shared.users.insight_schemas import GrowthInsight, GrowthQuery

insights_growth = endpoint(__name__, "/api/insights/growth")


@insights_growth.get(role="admin")
def read(request: Request[None, GrowthQuery]) -> GrowthInsight:
    """The last weeks, as the latest recount found them; each week's retention since."""
    from shared.users import insights

    return insights.growth(request.query.weeks)
