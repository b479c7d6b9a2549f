"""/api/products/duplicates/decide: which of some products are the same, and which are not."""

from shared.edge import Request, endpoint
from shared.products.duplicate_schemas import Decided, DecidedCounts

decide_duplicates = endpoint(__name__, "/api/products/duplicates/decide", memory_mb=512)


@decide_duplicates.post(role="admin", audit="duplicates.decided", raises=(409,))
def decide(request: Request[Decided]) -> DecidedCounts:
    """How many pairs were confirmed and refused.

    Raises Conflict (409) where others decide too, two are merged, or an earlier word says the
    opposite and the request does not say `overrule`.
    """
    from shared.products import reviewing

    return reviewing.decide(request.body, request.actor)
