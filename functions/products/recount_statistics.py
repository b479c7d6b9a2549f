"""Schedule: count the whole catalogue anew, once a night."""

from shared.edge import Request, schedule


@schedule(__name__)
def recount_statistics(request: Request) -> None:  # noqa: ARG001 - a schedule takes a request
    """Has every retailer and category counted, should a change ever have gone unnoticed."""
    from shared.products import statistics

    statistics.recount_everything()
