"""/api/products/uploads/<upload_id>: how far an upload is."""

from shared.edge import Request, endpoint
from shared.products.upload_schemas import UploadView

upload = endpoint(__name__, "/api/products/uploads/{upload_id}")


@upload.get(role="admin")
def read(request: Request) -> UploadView:
    """The upload's state and progress; raises NotFound (404)."""
    from shared.products import uploads

    return uploads.describe(request.path["upload_id"])
