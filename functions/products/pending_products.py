"""/api/products/pending: what waits for a decision."""

from shared.edge import Request, endpoint
from shared.products.proposal_schemas import PendingPage, PendingQuery

pending_products = endpoint(__name__, "/api/products/pending")


@pending_products.get(role="admin", raises=(400,))
def read_page(request: Request[None, PendingQuery]) -> PendingPage:
    """One page with the differences, newest first; raises BadRequest (400), a foreign cursor."""
    from shared.products import pending_list

    return pending_list.read_page(request.query)
