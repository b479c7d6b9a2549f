"""/api/prices/upload: prices into the history, each row by itself."""

from shared.edge import Request, endpoint
from shared.prices.schemas import PriceUpload, PriceUploadAnswer

prices_upload = endpoint(
    __name__, "/api/prices/upload", memory_mb=1024, timeout_seconds=120, concurrency=4
)


@prices_upload.post(role="admin", limit="heavy", large=True, audit="prices.uploaded")
def upload(request: Request[PriceUpload]) -> PriceUploadAnswer:
    """A verdict for each row: stored, unchanged, quarantined or rejected."""
    from shared.prices import upload as uploading

    return uploading.upload(request.body, request.actor)
