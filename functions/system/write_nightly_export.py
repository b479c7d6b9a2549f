"""Task: write one part of a night's export."""

from shared.edge import Request, task
from shared.system.background_schemas import WriteNightlyExport


def _give_up(request: Request[WriteNightlyExport]) -> None:
    from shared.system import nightly

    nightly.give_up(request.body.day, request.body.run)


@task(__name__, queue="exports", memory_mb=512, concurrency=1, given_up=_give_up)
def write_nightly_export(request: Request[WriteNightlyExport]) -> None:
    """Writes the part unless that was done already, and has the next one written."""
    from shared.system import nightly

    nightly.write(request.body.day, request.body.run, request.body.part)
