"""Schedule: compute the dashboard of prices anew, once a night."""

from shared.edge import Request, schedule


@schedule(__name__)
def renew_price_analytics(request: Request) -> None:  # noqa: ARG001 - a schedule takes a request
    """Has the figures computed as of today, whether or not a price was written."""
    from shared.prices import analytics

    analytics.request_refresh()
