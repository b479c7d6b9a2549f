"""/classify/reviews/<review_id>: a decision on one entry of the review queue."""

from shared.classification.review_schemas import ReviewDecision, ReviewView
from shared.edge import Request, endpoint

classify_review = endpoint(__name__, "/classify/reviews/{review_id}")


@classify_review.post(
    role="admin", audit="classification.reviewed", etag=True, if_match=True, raises=(409,)
)
def decide(request: Request[ReviewDecision]) -> ReviewView:
    """The decided entry, or one whose decision was taken back.

    Raises NotFound (404), Conflict (409) or StaleVersion (412).
    """
    from shared.classification import review_decisions, review_reopening

    review_id = request.path["review_id"]
    if request.body.decision == "reopen":
        return review_reopening.reopen(review_id, request.body, request.if_match, request.actor)
    return review_decisions.decide(review_id, request.body, request.if_match, request.actor)
