"""/api/products/pending/<product_id>/approve: take one proposal."""

from shared.edge import Request, endpoint
from shared.products.proposal_schemas import Approval, ProposalView

pending_approve = endpoint(__name__, "/api/products/pending/{product_id}/approve")


@pending_approve.post(
    role="admin", audit="proposal.approved", etag=True, if_match=True, raises=(409,)
)
def approve(request: Request[Approval]) -> ProposalView:
    """The approved proposal; raises NotFound (404), Conflict (409) or StaleVersion (412)."""
    from shared.products import deciding

    choice = deciding.Choice("approved")
    return deciding.decide(request.path["product_id"], choice, request.if_match, request.actor)
