"""Schedule: begin to write the catalogue to Storage, once a night."""

from shared.edge import Request, schedule


@schedule(__name__)
def begin_nightly_export(request: Request) -> None:  # noqa: ARG001 - a schedule takes a request
    """Begins today's export; one that was begun before goes on until this one is whole."""
    from shared.system import nightly

    nightly.begin()
