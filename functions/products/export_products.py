"""Task: write an export's file."""

from shared.edge import Request, task
from shared.products.background_schemas import ExportProducts


@task(__name__, queue="exports", concurrency=1)
def export_products(request: Request[ExportProducts]) -> None:
    """Writes the file, from its beginning if an earlier run was cut off."""
    from shared.products import exports

    exports.write(request.body.export_id)
