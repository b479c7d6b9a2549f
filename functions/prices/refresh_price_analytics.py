"""Task: compute the dashboard's figures anew."""

from shared.edge import Request, task
from shared.prices.background_schemas import RefreshAnalytics


@task(__name__, queue="statistics", memory_mb=512, concurrency=1)
def refresh_price_analytics(request: Request[RefreshAnalytics]) -> None:
    """Stores the figures as they are now."""
    from shared.prices import analytics

    analytics.refresh(request.body.due_at)
