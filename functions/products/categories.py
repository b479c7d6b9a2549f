"""/api/categories: the tree of categories."""

from shared.edge import Cached, Request, endpoint
from shared.products.category_schemas import CategoryChange, CategoryList, CategoryView

categories = endpoint(__name__, "/api/categories")


@categories.get(role="admin", cached=Cached("categories", ttl_seconds=60))
def read_tree(request: Request) -> CategoryList:  # noqa: ARG001 - a handler takes the request
    """Every category with its path and its number of products."""
    from shared.products import category_tree

    return category_tree.tree()


@categories.post(
    role="admin", audit="category.created", answers={201: CategoryView}, etag=True, raises=(409,)
)
def create(request: Request[CategoryChange]) -> CategoryView:
    """The new category; raises Conflict (409) if its name is taken."""
    from shared.products import category_tree

    return category_tree.create(request.body, request.actor)
