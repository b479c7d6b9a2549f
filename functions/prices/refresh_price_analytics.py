"""Task: compute the dashboard's figures anew."""

from shared.edge import Request, task
from shared.products.background_schemas import Recount


@task(__name__, queue="statistics", memory_mb=512, concurrency=1)
def refresh_price_analytics(request: Request[Recount]) -> None:
    """Stores the figures as they are now."""
    from shared.prices import analytics

    analytics.refresh(request.body.due_at)
