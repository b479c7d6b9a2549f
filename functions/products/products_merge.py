"""/api/products/merge: offers that are one product."""

from shared.edge import Request, endpoint
from shared.products.group_schemas import MergeAnswer, MergeRequest

products_merge = endpoint(__name__, "/api/products/merge")


@products_merge.post(role="admin", audit="products.merged", raises=(409,))
def merge(request: Request[MergeRequest]) -> MergeAnswer:
    """The group; raises Invalid (422) or Conflict (409) where two were said not to be the same."""
    from shared.products import group_views, grouping

    return group_views.of_merge(grouping.merge(request.body, request.actor))
