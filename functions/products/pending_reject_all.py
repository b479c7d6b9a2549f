"""/api/products/pending/reject: refuse up to a hundred proposals."""

from shared.edge import Request, endpoint
from shared.products.proposal_schemas import Decisions, Rejections

pending_reject_all = endpoint(__name__, "/api/products/pending/reject")


@pending_reject_all.post(role="admin", limit="heavy", audit="proposals.rejected", raises=(409,))
def reject_all(request: Request[Rejections]) -> Decisions:
    """What became of each; raises Conflict (409) where others keep changing them."""
    from shared.products import deciding

    choice = deciding.Choice("rejected", request.body.reason)
    return deciding.decide_all(request.body.ids, choice, request.actor)
