"""Schedule: count the users' activity anew, once a night."""

from shared.edge import Request, schedule


@schedule(__name__)
def recount_insights(request: Request) -> None:  # noqa: ARG001 - a schedule takes a request
    """Has the insights counted, should nobody have been active or a trigger have been lost."""
    from shared.users import insights

    insights.request_refresh()
