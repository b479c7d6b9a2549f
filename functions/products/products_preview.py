"""/api/products/preview: what an upload would do to the catalogue."""

from shared.edge import Answer, Form, Request, endpoint
from shared.products.upload_schemas import PreviewAnswer, PreviewRequest, UploadAccepted

products_preview = endpoint(
    __name__, "/api/products/preview", memory_mb=1024, timeout_seconds=120, concurrency=4
)


@products_preview.post(
    role="admin",
    limit="heavy",
    large=True,
    answers={200: PreviewAnswer, 202: UploadAccepted},
)
def preview(
    request: Request[PreviewRequest | Form],
) -> Answer[PreviewAnswer | UploadAccepted]:
    """The preview or, above 1,000 rows, 202; raises BadRequest, TooLarge (413), Invalid (422)."""
    from shared.products import uploads

    body = uploads.preview(request.body, request.actor)
    return Answer(body, status=202 if isinstance(body, UploadAccepted) else 200)
