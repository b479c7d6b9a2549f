"""Task: go on with the confirm of a large upload."""

from shared.edge import Request, task
from shared.products.background_schemas import FollowUpload


def _give_up(request: Request[FollowUpload]) -> None:
    from shared.products import uploads

    uploads.give_up_confirm(request.body)


@task(__name__, queue="uploads", memory_mb=1024, concurrency=1, given_up=_give_up)
def confirm_upload(request: Request[FollowUpload]) -> None:
    """Works through the chunks that are left."""
    from shared.products import uploads

    uploads.continue_confirm(request.body)
