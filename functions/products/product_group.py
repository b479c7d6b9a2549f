"""/api/products/groups/<group_id>: a merged product with its offers."""

from shared.edge import Request, endpoint
from shared.products.group_schemas import GroupView

product_group = endpoint(__name__, "/api/products/groups/{group_id}")


@product_group.get(role="admin")
def read(request: Request) -> GroupView:
    """The group; raises NotFound (404), also of one that was undone."""
    from shared.products import group_views

    return group_views.read(request.path["group_id"])
