"""What decisions teach: labels, and how right providers are; no I/O."""

from collections.abc import Collection, Iterable

from shared.classification.calibration import Outcome
from shared.classification.labels import Label, label_text
from shared.classification.prompts import MOST_NAME
from shared.classification.reviews import Review
from shared.products.matching.text import normalise
from shared.products.models import Product


def labels(decided: Iterable[Review]) -> list[Label]:
    """The categories that people gave, each under the text that was classified."""
    found = []
    for review in decided:
        if review.decided_category is not None and review.decided_at is not None:
            told = review.product
            text = label_text(told.brand, told.name, told.size)
            found.append(Label(text, review.decided_category, told.id, review.decided_at))
    return found


def learnt(review: Review, product: Product | None, categories: Collection[str]) -> bool | None:
    """Whether the decision says that its provider was right; None where it says nothing.

    An answer taken over from another says nothing new. Nor does the refusal of what nobody could
    have accepted, since its product is gone, or its category is none of `categories` any more.
    """
    if review.status == "rejected" and is_gone(review, product):
        return None
    if review.source != "provider" or review.category not in categories:
        return None
    return review.status == "accepted"


def outcomes(decided: Iterable[Review]) -> dict[str, list[Outcome]]:
    """What each provider's ledger takes from the decisions."""
    found: dict[str, list[Outcome]] = {}
    for review in decided:
        if review.provider and review.raw_confidence is not None and review.learnt is not None:
            outcome = Outcome(review.raw_confidence, review.learnt)
            found.setdefault(review.provider, []).append(outcome)
    return found


def is_gone(review: Review, product: Product | None) -> bool:
    """Whether the entry is of a product that the catalogue has no more."""
    return review.product.id is not None and (product is None or product.status == "deleted")


def is_renamed(review: Review, product: Product | None) -> bool:
    """Whether the product's name says something else than the one that was classified."""
    before = normalise(review.product.name)
    return product is not None and normalise(product.name[:MOST_NAME]) != before
