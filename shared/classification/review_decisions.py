"""Decisions on the review queue: on one entry, or on up to a hundred.

One transaction changes the products, by the catalogue's own change, closes the entries, and adds to
the label store and to the calibration ledger: all of it happens, or nothing does.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.classification import labels, ledgers, lessons, reviews
from shared.classification.lessons import is_gone, is_renamed
from shared.classification.review_schemas import (
    ReviewDecision,
    ReviewResult,
    ReviewResults,
    ReviewView,
    outdated,
    version_of,
    view,
)
from shared.classification.reviews import Review, Status
from shared.clients import firestore
from shared.clock import Clock, epoch_micros, utc_now
from shared.edge import cache
from shared.edge.request import Actor
from shared.errors import Conflict, Invalid, NotFound, ShoppleError
from shared.products import catalogue, category_tree
from shared.products.models import Product
from shared.products.models import from_document as product_of
from shared.products.slug import slug
from shared.system import audit

if TYPE_CHECKING:
    from google.cloud.firestore import Transaction

# Seven documents an entry at most, and a few for all, stay under Firestore's classic 500 writes.
CHUNK: Final = 50
_STATUS: Final[dict[str, Status]] = {
    "accept": "accepted",
    "correct": "corrected",
    "reject": "rejected",
}


class _Step(msgspec.Struct, frozen=True):
    """An entry beside its product, as they are after a decision; `is_new` where it changes them."""

    review: Review
    product: Product | None
    before: Product | None = None
    was: Status = "open"
    is_new: bool = False

    @property
    def moves(self) -> bool:
        """Whether the product's category changes."""
        return self.product is not self.before


_Outcome = _Step | ShoppleError


def decide(
    review_id: str,
    wanted: ReviewDecision,
    expected: int | None,
    by: Actor,
    clock: Clock = utc_now,
) -> ReviewView:
    """The decided entry, the same again changing nothing.

    A correction that names the decided version replaces it. Raises NotFound, StaleVersion, Invalid
    for a category that there is not, and Conflict where the opposite was decided, the product is
    gone, or others keep changing it.
    """
    _check(wanted)
    outcome = _decide([review_id], wanted, expected, by, clock)[review_id]
    if isinstance(outcome, ShoppleError):
        raise outcome
    return view(outcome.review, outcome.product)


def decide_all(
    ids: Sequence[str], wanted: ReviewDecision, by: Actor, clock: Clock = utc_now
) -> ReviewResults:
    """What became of each, fifty in one commit; raises Invalid, Conflict."""
    _check(wanted)
    distinct = list(dict.fromkeys(ids))
    outcomes: dict[str, _Outcome] = {}
    for at in range(0, len(distinct), CHUNK):
        outcomes |= _decide(distinct[at : at + CHUNK], wanted, None, by, clock, together=True)
    return ReviewResults([_result(review_id, outcomes[review_id]) for review_id in distinct])


def _check(wanted: ReviewDecision) -> None:
    if wanted.decision == "correct" and wanted.category is None:
        raise Invalid.one("category", "is needed to correct")
    if wanted.decision != "correct" and wanted.category is not None:
        raise Invalid.one("category", "is only for a correction")
    if wanted.category is not None and slug(wanted.category) != wanted.category:
        raise Invalid.one("category", "is not a known category")


def _result(review_id: str, outcome: _Outcome) -> ReviewResult:
    if isinstance(outcome, ShoppleError):
        return ReviewResult(review_id, "failed", outcome.detail)
    status = outcome.review.status
    return ReviewResult(review_id, "failed" if status == "open" else status)


def _decide(  # noqa: PLR0913 - what is decided of which, as who saw it, by whom and when
    ids: Sequence[str],
    wanted: ReviewDecision,
    expected: int | None,
    by: Actor,
    clock: Clock,
    *,
    together: bool = False,
) -> dict[str, _Outcome]:
    committed: Any = None

    def run(transaction: "Transaction") -> dict[str, _Outcome]:
        nonlocal committed
        committed = transaction
        work = _Work(transaction, ids, wanted, together=together)
        outcomes = {each: work.outcome(each, expected, by, clock()) for each in ids}
        steps = [each for each in outcomes.values() if isinstance(each, _Step) and each.is_new]
        if steps:
            work.write(steps, by)
        return outcomes

    outcomes = firestore.in_transaction(run)
    if any(isinstance(each, _Step) and each.is_new and each.moves for each in outcomes.values()):
        cache.bump("products", epoch_micros(committed.commit_time))
    return outcomes


class _Work:
    """What a transaction has read, and what it writes."""

    def __init__(
        self,
        transaction: "Transaction",
        ids: Sequence[str],
        wanted: ReviewDecision,
        *,
        together: bool,
    ) -> None:
        self._transaction = transaction
        self._wanted = wanted
        self._together = together
        # Products as the decisions before leave them: two entries may be of one product.
        self._moved: dict[str, Product] = {}
        found = firestore.existing(map(reviews.reference, ids), transaction)
        self._reviews = {s.id: reviews.from_document(s.id, s.to_dict() or {}) for s in found}
        known = self._reviews.values()
        told = {each.product.id for each in known if each.product.id}
        products = firestore.existing(map(catalogue.reference, sorted(told)), transaction)
        self._snapshots = {s.id: s for s in products}
        named = [of or "" for each in known for of in (each.category, self._category(each))]
        self._there = category_tree.listed(named, transaction)
        self._page = labels.last_page(transaction)
        providers = sorted({each.provider for each in known if each.provider})
        self._ledgers = ledgers.read_in(transaction, providers)

    def outcome(self, review_id: str, expected: int | None, by: Actor, now: datetime) -> _Outcome:
        """What the decision makes of an entry."""
        review = self._reviews.get(review_id)
        if review is None:
            return NotFound("There is no such entry in the review queue.")
        product = self._product(review)
        if review.status != "open" and not self._takes_back(review, product, expected):
            return self._again(review, product)
        return (
            self._outdated(review, product, expected)
            or self._refusal(review, product)
            or self._step(review, product, by, now)
        )

    def _outdated(
        self, review: Review, product: Product | None, expected: int | None
    ) -> ShoppleError | None:
        if (stale := outdated(review, product, expected)) is not None:
            return stale
        if self._together and self._wanted.decision != "reject" and is_renamed(review, product):
            # Whoever decides many says no version of any: what was found is of another text.
            return Conflict("The product has another name now; decide this one by itself.")
        return None

    def _takes_back(self, review: Review, product: Product | None, expected: int | None) -> bool:
        # By nothing else would a label go that was given by mistake.
        is_other = self._wanted.category not in (None, review.decided_category)
        return is_other and expected == version_of(review, product)

    def _again(self, review: Review, product: Product | None) -> _Outcome:
        if (review.status, review.decided_category) != (
            self._status(review),
            self._category(review),
        ):
            return Conflict(f"This was {reviews.told(review)} before.")
        return _Step(review, product, product)

    def _step(self, review: Review, product: Product | None, by: Actor, now: datetime) -> _Outcome:
        after, category = product, self._category(review)
        if product is not None and category is not None:
            after = product.changed(now, category=category)
            if after is not product and product.id in self._moved:
                return Conflict("Another entry of this product was decided with it; look again.")
            if after is not product:
                self._moved[product.id] = after
        decided = msgspec.structs.replace(
            review,
            status=self._status(review),
            stage="decided",
            decided_category=category,
            decided_by=by.uid,
            decided_at=now,
            category_before=_before(review, product),
            labelled_at=(*review.labelled_at, *([now] if category else [])),
            version=review.version + 1,
        )
        if review.status == "open":
            learnt = lessons.learnt(decided, product, self._there)
            decided = msgspec.structs.replace(decided, learnt=learnt)
        return _Step(decided, after, product, review.status, is_new=True)

    def write(self, steps: Sequence[_Step], by: Actor) -> None:
        """All that the decisions change."""
        for step in steps:
            review, before, after = step.review, step.before, step.product
            self._transaction.update(reviews.reference(review.id), reviews.to_document(review))
            told = {"status": review.status, "category": review.decided_category}
            resource = f"{reviews.COLLECTION}/{review.id}"
            entry = audit.entry(by, resource, {"status": step.was}, told)
            self._transaction.create(*entry)
            if before is not None and after is not None and step.moves:
                snapshot = self._snapshots[after.id]
                catalogue.write(self._transaction, before, after, snapshot, by)
        labels.write(self._transaction, self._page, lessons.labels(s.review for s in steps))
        learnt = lessons.outcomes(s.review for s in steps if s.was == "open")
        ledgers.write(self._transaction, self._ledgers, learnt)

    def _product(self, review: Review) -> Product | None:
        product_id = review.product.id or ""
        if product_id in self._moved:
            return self._moved[product_id]
        snapshot = self._snapshots.get(product_id)
        return None if snapshot is None else product_of(snapshot.id, snapshot.to_dict() or {})

    def _category(self, review: Review) -> str | None:
        """The category that the decision gives the entry's product."""
        if self._wanted.decision == "reject":
            return None
        return self._wanted.category or review.category

    def _status(self, review: Review) -> Status:
        if self._wanted.decision == "correct" and self._wanted.category == review.category:
            # To correct it to what was found is to accept it.
            return "accepted"
        return _STATUS[self._wanted.decision]

    def _refusal(self, review: Review, product: Product | None) -> ShoppleError | None:
        """Why the decision cannot be made, if it cannot."""
        category = self._category(review)
        if self._wanted.decision == "reject":
            return None
        if category is None:
            return Conflict("Nobody found a category that could be accepted; correct it instead.")
        if is_gone(review, product):
            return Conflict(
                "The product was removed from the catalogue: reject this, or restore it first."
            )
        if category not in self._there:
            if self._wanted.decision == "correct":
                return Invalid.one("category", "is not a known category")
            return Conflict(f"The category {category} is no longer there; correct it instead.")
        return None


def _before(review: Review, product: Product | None) -> str | None:
    """The product's category before it was first decided about, unless others changed it since."""
    if product is None:
        return None
    is_ours = review.status != "open" and product.category == review.decided_category
    return review.category_before if is_ours else product.category
