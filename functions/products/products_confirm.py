"""/api/products/confirm: commit what was previewed."""

from shared.edge import Answer, Request, endpoint
from shared.products.upload_models import Counts
from shared.products.upload_schemas import ConfirmRequest, UploadAccepted

products_confirm = endpoint(
    __name__, "/api/products/confirm", memory_mb=1024, timeout_seconds=120, concurrency=4
)


@products_confirm.post(
    role="admin",
    limit="heavy",
    large=True,
    audit="upload.confirmed",
    answers={200: Counts, 202: UploadAccepted},
    raises=(404, 409),
)
def confirm(request: Request[ConfirmRequest]) -> Answer[Counts | UploadAccepted]:
    """What was committed or, above 1,000 rows, 202; raises NotFound (404), Conflict (409)."""
    from shared.products import uploads

    body = uploads.confirm(request.body, request.actor)
    return Answer(body, status=202 if isinstance(body, UploadAccepted) else 200)
