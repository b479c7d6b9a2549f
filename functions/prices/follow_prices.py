"""Task: what follows a change of prices."""

from shared.edge import Request, task
from shared.prices.background_schemas import FollowPrices


@task(__name__, queue="prices", concurrency=4)
def follow_prices(request: Request[FollowPrices]) -> None:
    """Brings caches and summaries up to date, and has the dashboard's figures computed."""
    from shared.prices import following

    following.follow(request.body.change_id)
