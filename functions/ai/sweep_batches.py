"""Schedule: go on with batches that stand still, and settle what dead workers reserved."""

from shared.edge import Request, schedule


@schedule(__name__, service_account="ai")
def sweep_batches(request: Request) -> None:  # noqa: ARG001 - a schedule takes a request
    """Looks after batches and reservations whose time has come."""
    from shared.classification import batch_sweep

    batch_sweep.sweep()
