"""Schedule: do what lost triggers left undone."""

from shared.edge import Request, schedule


@schedule(__name__)
def sweep_outbox(request: Request) -> None:  # noqa: ARG001 - a schedule takes a request
    """Has the consequences of every overdue outbox entry done."""
    from shared.products import sweeping

    sweeping.sweep()
