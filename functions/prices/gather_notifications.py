"""Task: make messages of the notifications that are due in a channel."""

from shared.edge import Request, task
from shared.prices.background_schemas import GatherNotifications


@task(__name__, queue="notifications", concurrency=4)
def gather_notifications(request: Request[GatherNotifications]) -> None:
    """Has what became due within a few seconds sent together."""
    from shared.prices import notifications

    notifications.gather(request.body.channel)
