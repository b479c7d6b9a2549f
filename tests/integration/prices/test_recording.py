"""What a product is made to cost becomes a point of its history, once."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.integration.products.support import WORK_SECONDS, Json, Shop, good, row
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

    def put() -> httpx.Response | None:
        answer = shop.http.put(f"/api/products/{product['id']}", json=body | fields)
        # Who meets a task's locks for too long is told to try again.
        return None if answer.status_code == httpx.codes.CONFLICT else answer

    return good(eventually(put, timeout_seconds=WORK_SECONDS))


def history(shop: Shop, product_id: str) -> list[Json]:
    begun = (datetime.now(UTC) - timedelta(days=60)).date().isoformat()
    points = shop.get(f"/api/prices/history/{product_id}", **{"from": begun})["points"]
    assert isinstance(points, list)
    return points


def debts(shop: Shop) -> list[str]:
    return [name for name in shop.documents("outbox") if name.startswith("product_price-")]


@pytest.mark.parametrize("accident", ["none", "thrice", "lost"])
def test_each_price_that_a_person_sets_is_a_point_of_its_moment(shop: Shop, accident: str) -> None:
    """And so is the price before; however unlikely it is, since a person stands for it."""
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
        (100, "manual"),
        (120, "manual"),
        (9999, "manual"),
        (120, "manual"),
    ]
    assert [point["timestamp"] for point in told] == [
        each["updated_at"] for each in (product, *changed)
    ]
    assert shop.get(f"/api/products/{product['id']}")["version"] == named["version"]
    assert shop.documents("price_quarantine") == {}


def test_a_price_that_is_known_already_adds_nothing(shop: Shop) -> None:
    (product,) = stocked(shop)
    seen = {
        "product_id": product["id"],
        "price": 130,
        "retailer": product["retailer"],
        "source": "crawler",
        "timestamp": datetime.now(UTC).isoformat(),
    }
    good(shop.http.post("/api/prices/upload", json={"prices": [seen]}))
    change(shop, product, price=130)
    shop.idle()
    eventually(lambda: not debts(shop))
    told = [(point["price"], point["source"]) for point in history(shop, product["id"])]
    assert told == [(100, "manual"), (130, "crawler")]
    change(shop, product, price=131)
    eventually(lambda: not debts(shop))
    assert [point["price"] for point in history(shop, product["id"])] == [100, 130, 131]


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
        (100, "api"),
        (100, "api"),
        (110, "api"),
        (120, "api"),
    ]
    assert debts(shop) == []


def seen(shop: Shop, product: Json, price: float, at: str) -> None:
    told = {"product_id": product["id"], "retailer": product["retailer"], "source": "crawler"}
    body = {"prices": [told | {"price": price, "timestamp": at}]}
    assert good(shop.http.post("/api/prices/upload", json=body))["stored"] == 1


def days_ago(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


def test_a_price_without_a_place_is_a_dead_letter_that_can_be_sent_again(shop: Shop) -> None:
    (product,) = stocked(shop)
    seen(shop, product, 130, product["updated_at"])
    change(shop, product, price=120)

    def letters() -> list[Json]:
        found = shop.documents("dead_letters").values()
        return [each for each in found if product["id"] in each["body"]]

    (letter,) = eventually(letters)
    assert letter["function"] == "record_prices"
    assert letter["detail"] == "another price is stored for this moment: 130.00 LKR"
    eventually(lambda: not debts(shop))
    assert [point["price"] for point in history(shop, product["id"])] == [130, 120]
    for month in shop.database.collection(f"products/{product['id']}/prices").stream():
        month.reference.delete()
    for _ in range(2):
        assert shop.call_private("record_prices", json.loads(letter["body"])).is_success
    (point,) = history(shop, product["id"])
    assert (point["price"], point["timestamp"]) == (100, product["updated_at"])
    assert len(letters()) == 1


def test_a_catalogue_that_is_confirmed_again_is_a_sighting_of_its_prices(shop: Shop) -> None:
    """Of a product with a history whose last price is days old; the same day adds nothing."""
    old, young, new = stocked(shop, 3)
    seen(shop, old, 100, days_ago(8))
    seen(shop, young, 100, days_ago(2))
    rows = [row(number, price="100.00") for number in range(3)]
    for _ in range(2):
        assert shop.upload(rows, "all")["skipped"] == 3
        shop.idle()
        eventually(lambda: not debts(shop))
        found = [history(shop, each["id"]) for each in (old, young, new)]
        assert [[p["source"] for p in points] for points in found] == [
            ["crawler", "api"],
            ["crawler"],
            [],
        ]


def test_figures_have_no_product_that_is_gone_and_those_that_came_back(shop: Shop) -> None:
    (product,) = stocked(shop)
    seen(shop, product, 100, days_ago(2))
    seen(shop, product, 110, days_ago(1))

    def told(count: int) -> bool:
        figures = shop.get("/api/prices/analytics")["volatility"]
        return sum(int(each["products"]) for each in figures) == count

    eventually(lambda: told(1), timeout_seconds=WORK_SECONDS)
    good(shop.http.delete(f"/api/products/{product['id']}"))
    eventually(lambda: told(0), timeout_seconds=WORK_SECONDS)
    good(shop.http.post(f"/api/products/{product['id']}/restore"))
    eventually(lambda: told(1), timeout_seconds=WORK_SECONDS)
    eventually(lambda: not debts(shop))
