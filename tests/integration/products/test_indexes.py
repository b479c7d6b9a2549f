"""The queries of the lists, against the indexes that production will have.

What all other tests ask is checked when their stack ends.
"""

import pytest

from local.meter import SHAPES_NAME
from local.plan import ROOT
from local.stack import Stack
from tests.integration.products.support import FAR_FUTURE, WORK_SECONDS, Shop
from tests.polling import eventually
from tools.index_check import Shape, is_served, read_indexes, read_shapes, unserved

INDEXES = ROOT / "firestore.indexes.json"


@pytest.fixture(scope="module")
def shapes(stack: Stack, shop: Shop) -> set[Shape]:
    """What was recorded so far, with a query of each kind."""
    for sort in ("created_at", "-updated_at", "name", "-price"):
        shop.get("/api/products", sort=sort)
        for query in ({"retailer": "a"}, {"category": "b", "retailer": "a"}, {"q": "word"}):
            shop.get("/api/products", sort=sort, **query)
            shop.get("/api/products", sort=sort, status="active", **query)
    shop.get("/api/categories")
    assert shop.call_private("sweep_outbox").is_success
    eventually(
        lambda: shop.call_private("refresh_statistics", {"due_at": FAR_FUTURE}).is_success,
        timeout_seconds=WORK_SECONDS,
    )
    return read_shapes(stack.plan.state / SHAPES_NAME)


def test_the_kinds_of_query_that_the_product_makes_were_recorded(shapes: set[Shape]) -> None:
    assert {"products", "outbox", "categories"} <= {shape.collection for shape in shapes}
    assert any(shape.contains for shape in shapes)
    assert len(shapes) > 20


def test_production_has_an_index_for_every_query(shapes: set[Shape]) -> None:
    assert unserved(shapes, read_indexes(INDEXES)) == []


def test_production_would_refuse_a_query_that_nobody_thought_of(shapes: set[Shape]) -> None:
    sorted_by_brand = Shape(
        "products", equal=frozenset({"listed"}), orders=(("brand", "ASCENDING"),)
    )
    assert sorted_by_brand not in shapes
    assert not is_served(sorted_by_brand, read_indexes(INDEXES))
