"""Taking a decision of the review queue back, with all that came of it.

One transaction opens the entry again, files its product where it was, unless somebody has filed it
elsewhere since, and takes the label and what the calibration had learnt away.
"""

from typing import TYPE_CHECKING, Any

import msgspec

from shared.classification import labels, ledgers, lessons, reviews
from shared.classification.review_schemas import (
    ReviewDecision,
    ReviewView,
    outdated,
    view,
)
from shared.classification.reviews import Review
from shared.clients import firestore
from shared.clock import Clock, epoch_micros, utc_now
from shared.edge import cache
from shared.edge.request import Actor
from shared.errors import Invalid, NotFound
from shared.products import catalogue, category_tree
from shared.products.models import Product
from shared.products.models import from_document as product_of
from shared.system import audit

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, DocumentSnapshot, Transaction


def reopen(
    review_id: str,
    wanted: ReviewDecision,
    expected: int | None,
    by: Actor,
    clock: Clock = utc_now,
) -> ReviewView:
    """The entry, open again; one that is open stays as it is.

    Raises Invalid for a category, NotFound, StaleVersion, and Conflict where others keep changing
    the entry.
    """
    if wanted.category is not None:
        raise Invalid.one("category", "is only for a correction")
    committed: Any = None
    moved = False

    def run(transaction: "Transaction") -> ReviewView:
        nonlocal committed, moved
        committed = transaction
        work = _Work(transaction, review_id)
        if (stale := outdated(work.review, work.product, expected)) is not None:
            raise stale
        if work.review.status == "open":
            moved = False
            return view(work.review, work.product)
        after, restored = work.reopened(), work.restored(clock)
        moved = restored is not work.product
        work.write(after, restored, by)
        return view(after, restored)

    told = firestore.in_transaction(run)
    if moved:
        cache.bump("products", epoch_micros(committed.commit_time))
    return told


class _Work:
    """What the transaction has read of an entry, and what it writes."""

    def __init__(self, transaction: "Transaction", review_id: str) -> None:
        self._transaction = transaction
        found = self._read(reviews.reference(review_id))
        if found is None:
            raise NotFound("There is no such entry in the review queue.")
        self.review = reviews.from_document(found.id, found.to_dict() or {})
        told = self.review.product.id
        self._snapshot = self._read(catalogue.reference(told)) if told else None
        self.product: Product | None = None
        if self._snapshot is not None:
            self.product = product_of(self._snapshot.id, self._snapshot.to_dict() or {})
        self._is_there = self._has_category(self.review.category_before)
        product = self.review.product
        text = labels.label_text(product.brand, product.name, product.size)
        self._pages = labels.taken_off(transaction, text, self.review.labelled_at)
        provider = self.review.provider
        self._ledgers = ledgers.read_in(transaction, [provider] if provider else [])

    def reopened(self) -> Review:
        """The entry as it was before anybody decided."""
        return msgspec.structs.replace(
            self.review,
            status="open",
            stage="open",
            decided_category=None,
            decided_by=None,
            decided_at=None,
            category_before=None,
            learnt=None,
            labelled_at=(),
            version=self.review.version + 1,
        )

    def restored(self, clock: Clock) -> Product | None:
        """The product where it was filed, if the decision moved it and nobody has since."""
        review, product = self.review, self.product
        if product is None or product.status == "deleted" or not self._is_there:
            return product
        if product.category != review.decided_category or review.category_before is None:
            return product
        return product.changed(clock(), category=review.category_before)

    def write(self, after: Review, restored: Product | None, by: Actor) -> None:
        """All that is taken back."""
        transaction, review = self._transaction, self.review
        transaction.update(reviews.reference(review.id), reviews.to_document(after))
        told = {"status": review.status, "category": review.decided_category}
        resource = f"{reviews.COLLECTION}/{review.id}"
        transaction.create(*audit.entry(by, resource, told, {"status": after.status}))
        before, snapshot = self.product, self._snapshot
        if before and restored and snapshot and restored is not before:
            catalogue.write(transaction, before, restored, snapshot, by)
        labels.rewrite(transaction, self._pages)
        for provider, outcomes in lessons.outcomes([review]).items():
            for outcome in outcomes:
                ledgers.forget(transaction, self._ledgers, provider, outcome)

    def _has_category(self, category: str | None) -> bool:
        # A product without a category goes back to none.
        return not category or category in category_tree.listed([category], self._transaction)

    def _read(self, reference: "DocumentReference") -> "DocumentSnapshot[Any] | None":
        return next(firestore.existing([reference], self._transaction), None)
