"""Task: send some notifications as one message."""

from shared.edge import Request, task
from shared.prices.background_schemas import SendNotifications


def give_up(request: Request[SendNotifications]) -> None:
    """Marks them as failed."""
    from shared.prices import telling

    telling.give_up(request.body.ids)


@task(
    __name__,
    queue="notifications",
    concurrency=4,
    secrets=("SLACK_WEBHOOK_URL",),
    given_up=give_up,
)
def send_notifications(request: Request[SendNotifications]) -> None:
    """Posts them to Slack or to a webhook; what cannot be sent ends as a dead letter."""
    from shared.prices import telling

    telling.send(request.body.ids)
