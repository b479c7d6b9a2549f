"""/api/products/unmerge: undo merges, of all offers of a group or of some."""

from shared.edge import Request, endpoint
from shared.products.group_schemas import UnmergeAnswer, UnmergeRequest

products_unmerge = endpoint(__name__, "/api/products/unmerge")


@products_unmerge.post(role="admin", audit="products.unmerged", raises=(409,))
def unmerge(request: Request[UnmergeRequest]) -> UnmergeAnswer:
    """What is left; raises Invalid (422) or Conflict (409) where the group joined another one."""
    from shared.products import group_views, grouping

    return group_views.of_unmerge(grouping.unmerge(request.body, request.actor))
