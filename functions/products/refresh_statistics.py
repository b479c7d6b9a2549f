"""Task: count the catalogue anew."""

from shared.edge import Request, task
from shared.products.background_schemas import Recount


@task(__name__, queue="statistics", concurrency=1)
def refresh_statistics(request: Request[Recount]) -> None:
    """Stores the statistics as they are now."""
    from shared.products import statistics

    statistics.refresh(request.body.due_at)
