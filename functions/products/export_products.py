"""Task: write an export's file."""

from shared.edge import Request, task
from shared.products.background_schemas import ExportProducts


def _give_up(request: Request[ExportProducts]) -> None:
    from shared.products import exports

    exports.give_up(request.body.export_id)


@task(__name__, queue="exports", concurrency=1, given_up=_give_up)
def export_products(request: Request[ExportProducts]) -> None:
    """Writes the file, from its beginning if an earlier run was cut off."""
    from shared.products import exports

    exports.write(request.body.export_id)
