"""What waits for a decision, as it is stored."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from shared.classification import lessons, reviews
from shared.classification.calibration import Outcome
from shared.classification.models import Item
from shared.classification.reviews import Review
from shared.products.models import Product
from tests.unsure import UNSURE

NOW = datetime(2026, 5, 4, tzinfo=UTC)


def test_an_entry_is_read_back_as_it_was_written() -> None:
    item = Item("Ceylon Tea", "Loose leaves. " * 500, "Dilmah", Decimal("450.50"), "p1")
    entry_id, document = reviews.review_entry(item, UNSURE, origin="b1-3", at=NOW)
    read = reviews.from_document(entry_id, document)
    assert (read.id, read.origin, read.status, read.created_at) == ("b1-3", "b1-3", "open", NOW)
    assert (read.product.price, read.raw_confidence, read.rationale) == (
        "450.50",
        91,
        "Tea by its name.",
    )
    assert len(msgspec.json.encode(document)) < 3000


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, "low_confidence"),
        ({"category": None, "failure": "groq: timeout"}, "failed"),
        ({"needs_review": False}, "unlabelled"),
    ],
)
def test_the_reason_is_told(changed: dict[str, object], reason: str) -> None:
    decided = msgspec.structs.replace(UNSURE, **changed)
    _, document = reviews.review_entry(Item("Tea"), decided, origin="b1-3", at=NOW)
    assert document["reason"] == reason


def test_the_same_text_of_a_product_has_one_origin() -> None:
    tea = Item("Ceylon Tea", id="p1")
    assert reviews.origin_of(tea) == reviews.origin_of(
        msgspec.structs.replace(tea, price=Decimal(3))
    )
    assert reviews.origin_of(tea) != reviews.origin_of(Item("Ceylon Tea", id="p2"))
    assert reviews.origin_of(tea) != reviews.origin_of(Item("Ceylon Tea 100g", id="p1"))


def entry(status: reviews.Status, product_id: str | None = "p1") -> Review:
    item = Item("Ceylon Tea", id=product_id)
    read = reviews.from_document(*reviews.review_entry(item, UNSURE, origin="b1-3", at=NOW))
    return msgspec.structs.replace(read, status=status)


def product(**changed: object) -> Product:
    known = Product(
        id="p1",
        name="Ceylon Tea",
        brand="",
        size="",
        category="other",
        retailer="shop",
        retailer_sku=None,
        url=None,
        image=None,
        description=None,
        price_minor=1,
        currency="LKR",
        status="active",
        version=1,
        created_at=NOW,
        updated_at=NOW,
    )
    return msgspec.structs.replace(known, **changed)


def test_a_rejection_of_what_could_not_be_accepted_says_nothing_of_the_provider() -> None:
    assert lessons.learnt(entry("accepted"), product(), {"tea"}) is True
    assert lessons.learnt(entry("rejected"), product(), {"tea"}) is False
    assert lessons.learnt(entry("rejected", None), None, {"tea"}) is False
    for gone in (None, product(status="deleted")):
        assert lessons.learnt(entry("rejected"), gone, {"tea"}) is None
    # Nobody could have accepted what there is no more.
    for status in ("rejected", "corrected"):
        assert lessons.learnt(entry(status), product(), {"tea-leaves"}) is None


def test_the_ledger_takes_what_was_learnt() -> None:
    right, nothing = (
        msgspec.structs.replace(entry("accepted"), learnt=learnt) for learnt in (True, None)
    )
    assert lessons.outcomes([right, nothing]) == {"cerebras": [Outcome(91, right=True)]}


def test_a_label_says_the_size_that_stood_beside_the_name() -> None:
    item = Item("Milk", brand="Anchor", size="400 g")
    read = reviews.from_document(*reviews.review_entry(item, UNSURE, origin="b1-3", at=NOW))
    decided = msgspec.structs.replace(read, decided_category="powder", decided_at=NOW)
    assert [label.text for label in lessons.labels([decided])] == ["Anchor Milk 400 g"]
