"""/classify/reviews: what waits for a person's word, and up to a hundred decisions at once."""

from shared.classification.review_schemas import (
    ReviewDecisions,
    ReviewPage,
    ReviewQuery,
    ReviewResults,
)
from shared.edge import Request, endpoint

classify_reviews = endpoint(__name__, "/classify/reviews")


@classify_reviews.get(role="admin", raises=(400,))
def read_page(request: Request[None, ReviewQuery]) -> ReviewPage:
    """One page of the queue, newest first; raises BadRequest (400) for a foreign cursor."""
    from shared.classification import review_list

    return review_list.read_page(request.query)


@classify_reviews.post(role="admin", limit="heavy", audit="classification.reviewed", raises=(409,))
def decide_all(request: Request[ReviewDecisions]) -> ReviewResults:
    """What became of each; raises Conflict (409) where others keep changing them."""
    from shared.classification import review_decisions
    from shared.classification.review_schemas import ReviewDecision

    body = request.body
    wanted = ReviewDecision(body.decision, body.category)
    return review_decisions.decide_all(body.ids, wanted, request.actor)
