"""/api/categories/<category_id>: read, change or remove one category."""

from shared.edge import Request, endpoint
from shared.products import category_removal, category_tree
from shared.products.category_schemas import (
    CategoryChange,
    CategoryRemoval,
    CategoryRemoved,
    CategoryView,
)

category = endpoint(__name__, "/api/categories/{category_id}")


@category.get(role="admin", etag=True)
def read(request: Request) -> CategoryView:
    """The category, with its version as ETag; raises NotFound (404)."""
    return category_tree.read(request.path["category_id"])


@category.put(role="admin", audit="category.updated", etag=True, if_match=True, raises=(409,))
def change(request: Request[CategoryChange]) -> CategoryView:
    """The renamed or moved category; raises NotFound (404), StaleVersion (412)."""
    return category_tree.change(
        request.path["category_id"], request.body, request.if_match, request.actor
    )


@category.delete(role="admin", audit="category.deleted", if_match=True, raises=(409,))
def remove(request: Request[None, CategoryRemoval]) -> CategoryRemoved:
    """The removal, or the move that leads to it; raises Conflict (409) while in use."""
    return category_removal.remove(
        request.path["category_id"], request.query.move_to, request.if_match, request.actor
    )
