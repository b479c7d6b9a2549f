"""/api/products/exports/<export_id>: how far an export is, and its link."""

from shared.edge import Request, endpoint
from shared.products.exports import ExportView

export = endpoint(__name__, "/api/products/exports/{export_id}")


@export.get(role="admin")
def read(request: Request) -> ExportView:
    """The export's state and, once completed, a time-limited link; raises NotFound (404)."""
    from shared.products import exports

    return exports.describe(request.path["export_id"])
