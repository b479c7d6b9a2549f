"""What waits for a person's word: each result that is not sure enough, and each that failed."""

import re
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from shared.classification.models import Decided, Item, Provider, Source
from shared.classification.prompts import MOST_BRAND, MOST_DESCRIPTION, MOST_NAME, MOST_SIZE
from shared.clients import firestore

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

COLLECTION: Final = "classification_reviews"
# Whoever classifies products of elsewhere may give them ids that no product here can have.
_PRODUCT_ID: Final = re.compile("[0-9A-Za-z]{1,64}")

Reason = Literal["low_confidence", "failed", "unlabelled"]
Status = Literal["open", "accepted", "corrected", "rejected"]
Stage = Literal["open", "decided"]


class ReviewedProduct(msgspec.Struct, frozen=True):
    """The product as it was classified; the price is in currency units."""

    name: str
    id: str | None = None
    brand: str | None = None
    description: str | None = None
    price: str | None = None
    size: str | None = None


class Review(msgspec.Struct, frozen=True):
    """A result that waits for a decision, or has had one, as it is stored.

    `category_before` is the product's before the decision, `learnt` what the ledger of its provider
    took from it, and `labelled_at` when it gave labels: they are for whoever takes it back.
    """

    id: str
    product: ReviewedProduct
    category: str | None
    confidence: int | None
    raw_confidence: int | None
    rationale: str
    provider: Provider | None
    model: str | None
    prompt_version: str
    source: Source
    reason: Reason
    failure: str | None
    origin: str
    created_at: datetime
    status: Status = "open"
    stage: Stage = "open"
    decided_category: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    category_before: str | None = None
    learnt: bool | None = None
    labelled_at: tuple[datetime, ...] = ()
    version: int = 1


def reference(review_id: str) -> "DocumentReference":
    """Where an entry is stored."""
    return firestore.client().collection(COLLECTION).document(review_id)


def review_entry(
    item: Item, decided: Decided, *, origin: str, at: datetime
) -> tuple[str, dict[str, Any]]:
    """The id and the document of an entry, for the caller to create in its own commit.

    `origin` names what was classified where, such as `{batch_id}-{index}`, and is the id: the same
    piece of work enters the queue once.
    """
    entry = Review(
        id=origin,
        product=ReviewedProduct(
            item.name[:MOST_NAME],
            item.id if item.id and _PRODUCT_ID.fullmatch(item.id) else None,
            item.brand and item.brand[:MOST_BRAND],
            item.description and item.description[:MOST_DESCRIPTION],
            None if item.price is None else str(item.price),
            item.size and item.size[:MOST_SIZE],
        ),
        category=decided.category,
        confidence=decided.confidence,
        raw_confidence=decided.raw_confidence,
        rationale=decided.rationale,
        provider=decided.provider,
        model=decided.model,
        prompt_version=decided.prompt_version,
        source=decided.source,
        reason=_reason(decided),
        failure=decided.failure,
        origin=origin,
        created_at=at,
    )
    return entry.id, to_document(entry)


def origin_of(item: Item) -> str:
    """The origin of a product that was classified by itself: the same for the same text."""
    told = msgspec.json.encode([item.id, item.name, item.brand, item.description])
    return f"product-{sha256(told).hexdigest()[:24]}"


def told(review: Review) -> str:
    """What was decided, in words."""
    if review.status == "corrected":
        return f"corrected to {review.decided_category}"
    return review.status


def to_document(review: Review) -> dict[str, Any]:
    """The entry's fields in Firestore."""
    fields = msgspec.structs.asdict(review)
    del fields["id"]
    return fields | {"product": msgspec.structs.asdict(review.product)}


def from_document(review_id: str, fields: dict[str, Any]) -> Review:
    """The entry in a document's fields."""
    return Review(id=review_id, **(fields | {"product": ReviewedProduct(**fields["product"])}))


def _reason(decided: Decided) -> Reason:
    if decided.category is None:
        return "failed"
    # Sure enough, and asked of a person all the same: for the label.
    is_sure = decided.is_sample or not decided.needs_review
    return "unlabelled" if is_sure else "low_confidence"
