"""What the review queue's endpoints take and answer."""

from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shared.classification.models import Provider
from shared.classification.reviews import Reason, Review, Stage, Status
from shared.clock import rfc3339
from shared.edge.pages import Cursor, PageSize
from shared.errors import StaleVersion
from shared.money import of_text
from shared.products import schemas as product_schemas
from shared.products.models import Product

Decision = Literal["accept", "correct", "reject"]
# What was decided is taken back one by one, by whoever sees what he takes back.
DecisionOfOne = Literal["accept", "correct", "reject", "reopen"]
ReviewId = Annotated[str, Meta(pattern="^[0-9A-Za-z_-]{1,128}$")]


class ReviewQuery(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Which entries, newest first; the category is the one that was found."""

    status: Stage = "open"
    provider: Provider | None = None
    category: product_schemas.Slug | None = None
    limit: PageSize = 20
    cursor: Cursor | None = None


class ReviewDecision(msgspec.Struct, forbid_unknown_fields=True):
    """What is decided; a correction names the category, and nothing else does.

    `reopen` takes back what was decided.
    """

    decision: DecisionOfOne
    category: product_schemas.Slug | None = None


class ReviewDecisions(msgspec.Struct, forbid_unknown_fields=True):
    """What is decided of each of some entries."""

    ids: Annotated[list[ReviewId], Meta(min_length=1, max_length=100)]
    decision: Decision
    category: product_schemas.Slug | None = None


class ClassifiedProduct(msgspec.Struct, omit_defaults=True):
    """The product as it was classified."""

    name: str
    id: str | None = None
    brand: str | None = None
    description: str | None = None
    price: Decimal | None = None


class CurrentProduct(msgspec.Struct):
    """What the catalogue says of the product now."""

    name: str
    brand: str
    category: str
    status: str


class ReviewView(msgspec.Struct):
    """An entry of the queue; `current` is null where the catalogue has no such product.

    `raw_confidence` is what the provider said of itself, `confidence` what that is worth.
    """

    id: str
    product: ClassifiedProduct
    current: CurrentProduct | None
    category: str | None
    confidence: int | None
    raw_confidence: int | None
    rationale: str
    provider: Provider | None
    model: str | None
    reason: Reason
    failure: str | None
    status: Status
    decided_category: str | None
    decided_by: str | None
    decided_at: str | None
    created_at: str
    origin: str
    version: int


class ReviewPage(msgspec.Struct):
    """One page of the queue; the total stops at 1,000 and says so."""

    reviews: list[ReviewView]
    total: int
    total_is_minimum: bool
    next_cursor: str | None


class ReviewResult(msgspec.Struct, omit_defaults=True):
    """What became of one entry; `detail` says why it failed."""

    id: str
    status: Literal["accepted", "corrected", "rejected", "failed"]
    detail: str | None = None


class ReviewResults(msgspec.Struct):
    """What became of each entry, in the order in which they were named."""

    results: list[ReviewResult]


def version_of(review: Review, product: Product | None) -> int:
    """What an ETag names: a change of either is one of what was shown, and neither goes back."""
    return review.version + (product.version if product else 0)


def outdated(review: Review, product: Product | None, expected: int | None) -> StaleVersion | None:
    """What is wrong where somebody saw another version than the entry is at now."""
    shown = version_of(review, product)
    if expected is None or shown == expected:
        return None
    return StaleVersion(f"The entry is at version {shown} now: it or its product changed.")


def view(review: Review, product: Product | None) -> ReviewView:
    """The entry beside its product as it is now."""
    told = review.product
    price = None if told.price is None else of_text(told.price)
    return ReviewView(
        id=review.id,
        product=ClassifiedProduct(told.name, told.id, told.brand, told.description, price),
        current=_current(product),
        category=review.category,
        confidence=review.confidence,
        raw_confidence=review.raw_confidence,
        rationale=review.rationale,
        provider=review.provider,
        model=review.model,
        reason=review.reason,
        failure=review.failure,
        status=review.status,
        decided_category=review.decided_category,
        decided_by=review.decided_by,
        decided_at=rfc3339(review.decided_at) if review.decided_at else None,
        created_at=rfc3339(review.created_at),
        origin=review.origin,
        version=version_of(review, product),
    )


def _current(product: Product | None) -> CurrentProduct | None:
    if product is None:
        return None
    return CurrentProduct(product.name, product.brand, product.category, product.status)
