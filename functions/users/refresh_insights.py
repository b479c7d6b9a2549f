"""Task: count the users' activity anew."""

from shared.edge import Request, task
from shared.products.background_schemas import Recount


@task(__name__, queue="statistics", memory_mb=512, concurrency=1)
def refresh_insights(request: Request[Recount]) -> None:
    """Stores the insights as they are now."""
    from shared.users import insights

    insights.refresh(request.body.due_at)
