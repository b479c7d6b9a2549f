"""/api/products/pending/approve: take up to a hundred proposals."""

from shared.edge import Request, endpoint
from shared.products.proposal_schemas import Approvals, Decisions

pending_approve_all = endpoint(__name__, "/api/products/pending/approve")


@pending_approve_all.post(role="admin", limit="heavy", audit="proposals.approved", raises=(409,))
def approve_all(request: Request[Approvals]) -> Decisions:
    """What became of each; raises Conflict (409) where others keep changing them."""
    from shared.products import deciding

    choice = deciding.Choice("approved")
    return deciding.decide_all(request.body.ids, choice, request.actor)
