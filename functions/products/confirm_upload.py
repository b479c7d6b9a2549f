"""Task: go on with the confirm of a large upload."""

from shared.edge import Request, task
from shared.products.background_schemas import FollowUpload


@task(__name__, queue="uploads", memory_mb=1024, concurrency=1)
def confirm_upload(request: Request[FollowUpload]) -> None:
    """Works through the chunks that are left."""
    from shared.products import uploads

    uploads.continue_confirm(request.body)
