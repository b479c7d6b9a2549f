"""What somebody says that a product costs: what is no price is refused, and never told."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import money
from shared.classification import review_schemas, reviews
from shared.classification.batch_records import Placed
from shared.classification.models import Item
from shared.classification.schemas import Classify, items_of
from shared.edge import validation
from shared.errors import Invalid
from tests.unsure import UNSURE

AT = datetime(2026, 5, 4, tzinfo=UTC)
WRONG = ["NaN", "-NaN", "sNaN", "Infinity", "-Infinity", "1e999999", "1e-999999", "-1", "1e14"]
WRONG += ["0." + "1" * 30, "1" * 40]


@pytest.mark.parametrize("price", WRONG)
def test_what_is_no_price_is_refused_by_its_name(price: str) -> None:
    products = [{"name": "Tea", "price": 450.5}, {"name": "Tea", "price": price}]
    body = validation.to_type({"products": products}, Classify)
    with pytest.raises(Invalid) as refused:
        items_of(body.products)
    assert [each.field for each in refused.value.errors] == ["products[1].price"]


@pytest.mark.parametrize("price", ["0", "450.50", "1234567890123.45", "0.30000000000000004"])
def test_a_price_is_taken_as_it_is_told(price: str) -> None:
    body = validation.read_json(b'{"products": [{"name": "Tea", "price": %s}]}' % price.encode())
    (item,) = items_of(validation.to_type(body, Classify).products)
    assert item.price == Decimal(price)
    assert Placed.of_fields(Placed(0, item).fields()).item == item


@given(st.decimals() | st.sampled_from([Decimal("1E+999999"), Decimal("sNaN"), None]))
def test_an_entry_of_the_queue_can_be_read_whatever_price_is_stored(price: Decimal | None) -> None:
    stored = reviews.review_entry(Item("Tea", price=price), UNSURE, origin="b1-3", at=AT)
    told = review_schemas.view(reviews.from_document(*stored), None)
    read = msgspec.json.decode(msgspec.json.encode(told))["product"].get("price")
    assert read is None or money.of_text(read) == price


def test_a_stored_text_that_is_no_number_is_no_price() -> None:
    assert money.of_text("12 rupees") is None
