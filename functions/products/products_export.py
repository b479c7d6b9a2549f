"""/api/products/export: the filtered catalogue as a file."""

from shared.edge import Request, endpoint
from shared.products.exports import ExportAccepted
from shared.products.schemas import ProductFilter

products_export = endpoint(__name__, "/api/products/export")


@products_export.post(
    role="admin", limit="heavy", audit="products.exported", answers={202: ExportAccepted}
)
def begin(request: Request[ProductFilter]) -> ExportAccepted:
    """The export that was begun, to be followed at its own path."""
    from shared.products import exports

    return exports.begin(request.body, request.actor)
