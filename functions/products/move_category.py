"""Task: move the products, labels and children of a removed category."""

from shared.edge import Request, task
from shared.products.background_schemas import MoveCategory


@task(__name__, queue="uploads")
def move_category(request: Request[MoveCategory]) -> None:
    """Moves all of it, then deletes the category."""
    from shared.classification import labels
    from shared.products import category_removal

    category_removal.move(request.body.category_id, labels.move)
