"""Schedule: tell Slack about the week that ended."""

from shared.edge import Request, schedule


@schedule(__name__, secrets=("SLACK_WEBHOOK_URL",))
def report_week(request: Request) -> None:  # noqa: ARG001 - a schedule takes a request
    """Sends the report of the last ISO week, unless that was done already."""
    from shared.system import weekly

    weekly.report()
