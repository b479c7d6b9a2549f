"""/api/products/pending/<product_id>/reject: refuse one proposal."""

from shared.edge import Request, endpoint
from shared.products.proposal_schemas import ProposalView, Rejection

pending_reject = endpoint(__name__, "/api/products/pending/{product_id}/reject")


@pending_reject.post(
    role="admin", audit="proposal.rejected", etag=True, if_match=True, raises=(409,)
)
def reject(request: Request[Rejection]) -> ProposalView:
    """The rejected proposal; raises NotFound (404), Conflict (409) or StaleVersion (412)."""
    from shared.products import deciding

    choice = deciding.Choice("rejected", request.body.reason)
    return deciding.decide(request.path["product_id"], choice, request.if_match, request.actor)
