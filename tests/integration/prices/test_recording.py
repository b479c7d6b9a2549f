"""What a product is made to cost becomes a point of its history, once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.products.support import Json, Shop, good, row
from tests.polling import eventually


@pytest.fixture(autouse=True)
def empty(shop: Shop) -> None:
    shop.clear()


def stocked(shop: Shop, count: int = 1) -> list[Json]:
    """Products of 100 rupees, which have no history yet."""
    shop.upload([row(number, price="100.00") for number in range(count)])
    found = shop.get("/api/products", sort="name")["products"]
    return [shop.get(f"/api/products/{each['id']}") for each in found]


def change(shop: Shop, product: Json, **fields: Any) -> Json:
    body = {name: product[name] for name in ("name", "brand", "size", "category", "price")}
    return good(shop.http.put(f"/api/products/{product['id']}", json=body | fields))


def history(shop: Shop, product_id: str) -> list[Json]:
    begun = (datetime.now(UTC) - timedelta(days=60)).date().isoformat()
    points = shop.get(f"/api/prices/history/{product_id}", **{"from": begun})["points"]
    assert isinstance(points, list)
    return points


def debts(shop: Shop) -> list[str]:
    return [name for name in shop.documents("outbox") if name.startswith("product_price-")]


@pytest.mark.parametrize("accident", ["none", "thrice", "lost"])
def test_each_price_that_a_person_sets_is_a_point_of_its_moment(shop: Shop, accident: str) -> None:
    """However unlikely it is: a person stands for it."""
    (product,) = stocked(shop)
    assert history(shop, product["id"]) == []
    if accident == "thrice":
        shop.stack.control.disturb_events(copies=3, delay_seconds=1)
    elif accident == "lost":
        shop.stack.control.disturb_events(drop=True)
    changed = [change(shop, product, price=price) for price in (120, 9999, 120)]
    named = change(shop, product, price=120, name="Another Name")
    if accident == "lost":
        assert len(debts(shop)) == 3
        for name in debts(shop):
            document = shop.database.document(f"outbox/{name}")
            document.update({"at": datetime(2020, 1, 1, tzinfo=UTC)})
        assert shop.call_private("sweep_outbox").is_success
    shop.idle()
    eventually(lambda: not debts(shop))
    told = history(shop, product["id"])
    assert [(point["price"], point["source"]) for point in told] == [
        (120, "manual"),
        (9999, "manual"),
        (120, "manual"),
    ]
    assert [point["timestamp"] for point in told] == [each["updated_at"] for each in changed]
    assert shop.get(f"/api/products/{product['id']}")["version"] == named["version"]
    assert shop.documents("price_quarantine") == {}


def test_a_price_that_is_known_already_adds_nothing(shop: Shop) -> None:
    (product,) = stocked(shop)
    seen = {
        "product_id": product["id"],
        "price": 130,
        "retailer": product["retailer"],
        "source": "crawler",
        "timestamp": (datetime.now(UTC) - timedelta(hours=2)).isoformat(),
    }
    good(shop.http.post("/api/prices/upload", json={"prices": [seen]}))
    change(shop, product, price=130)
    shop.idle()
    eventually(lambda: not debts(shop))
    assert [point["source"] for point in history(shop, product["id"])] == ["crawler"]
    change(shop, product, price=131)
    eventually(lambda: not debts(shop))
    assert [point["price"] for point in history(shop, product["id"])] == [130, 131]


def test_an_upload_owes_its_new_prices_together(shop: Shop) -> None:
    """Of three products two cost something else; told again, the task finds nothing to do."""
    products = stocked(shop, 3)
    shop.stack.control.disturb_events(drop=True)
    prices = ("100.00", "110.00", "120.00")
    rows = [row(number, price=price) for number, price in enumerate(prices)]
    assert shop.upload(rows, "all")["updated"] == 2
    (owed,) = debts(shop)
    shop.stack.control.reset_events()
    change_id = owed.removeprefix("product_price-")
    for _ in range(2):
        assert shop.call_private("record_prices", {"change_id": change_id}).is_success
    shop.idle()
    told = [point for each in products for point in history(shop, each["id"])]
    assert sorted((point["price"], point["source"]) for point in told) == [
        (110, "api"),
        (120, "api"),
    ]
    assert debts(shop) == []
