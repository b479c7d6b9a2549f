"""Events that come three times, late, shuffled or never leave the catalogue as it should be."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from google.api_core.exceptions import FailedPrecondition

from shared.system.configuration_records import DEFAULTS
from tests.integration.products.support import QUEUE, Json, Shop, good, row
from tests.polling import eventually

FOLLOWED = (
    "products",
    "match_keys",
    "match_states",
    "match_pairs",
    "search_lists",
    "search_states",
    "statistics",
    "retailers",
)
# Differ between any two runs: made-up ids, and what a clock says.
VOLATILE = {"created_at", "updated_at", "last_updated", "counting_began_at", "micros", "ids"}
# How full a list is that everything has left says only that it was there.
VOLATILE |= {"used_bytes"}
# Which change of prices an offer took part in last.
VOLATILE |= {"price_change"}
# A pair is weighed against what stood in the lists when it was met.
VOLATILE |= {"evidence", "marks"}
GOODS = (
    ("Anchor Full Cream Milk Powder", "Anchor", "400g"),
    ("Munchee Super Cream Cracker", "Munchee", "190g"),
    ("Sunlight Lemon Soap", "Sunlight", "110g"),
    ("Araliya Nadu Rice", "Araliya", "5kg"),
)

# The sweep as it is, but for entries of any age: its schedule waits half a minute.
SWEEP = """
from datetime import timedelta
from shared.products import sweeping
print(sweeping.sweep(timedelta(0)))
"""


def offers(retailer: str, price: str = "500.00") -> list[Json]:
    return [
        {"name": name, "brand": brand, "size": size, "price": price, "retailer": retailer}
        for name, brand, size in GOODS
    ]


def sweep(shop: Shop) -> int:
    return int(shop.run(SWEEP))


def work(shop: Shop) -> None:
    """Uploads, edits, a removal and a restoration."""
    shop.upload([*offers("keells"), *(row(number) for number in range(10))])
    shop.upload(offers("cargills", "510.00"))
    products = by_offer(shop)
    milk = products["keells", GOODS[0][0]]
    change(shop, milk, name="Something Else Entirely")
    change(shop, milk, name=GOODS[0][0], price=505)
    for title in (GOODS[1][0], GOODS[2][0]):
        good(shop.http.delete(f"/api/products/{products['cargills', title]}"))
    good(shop.http.post(f"/api/products/{products['cargills', GOODS[2][0]]}/restore"))


def by_offer(shop: Shop) -> dict[tuple[str, str], str]:
    found = shop.documents("products").items()
    return {(fields["retailer"], fields["name"]): product_id for product_id, fields in found}


def change(shop: Shop, product_id: str, **fields: Any) -> None:
    before = shop.get(f"/api/products/{product_id}")
    kept = ("name", "brand", "size", "category", "price")
    body = {name: before[name] for name in kept} | fields
    good(shop.http.put(f"/api/products/{product_id}", json=body))


def state(shop: Shop) -> Json:
    """All that hangs on the products, with their ids replaced by what they offer."""
    names = {
        product_id: f"{retailer}: {name}" for (retailer, name), product_id in by_offer(shop).items()
    }

    def told(value: Any) -> Any:
        if isinstance(value, dict):
            # What everything has left is as good as none.
            kept = {k: v for k, v in value.items() if k not in VOLATILE and v not in ({}, [])}
            return {told(k): told(v) for k, v in kept.items()}
        if isinstance(value, list):
            return sorted((told(each) for each in value), key=in_order)
        if not isinstance(value, str):
            return value
        return "_".join(sorted(names.get(part, part) for part in value.split("_")))

    found = {}
    for collection in FOLLOWED:
        stored = shop.documents(collection)
        if collection == "statistics":
            # Figures of moments, which other tests look at: of prices, and of who was active.
            stored.pop("prices", None)
            stored.pop("insights", None)
        documents = {told(key): told(value) for key, value in stored.items()}
        found[collection] = {key: value for key, value in documents.items() if value}
    return found


def in_order(value: Any) -> str:
    """Firestore returns a map's fields in any order."""
    return json.dumps(value, sort_keys=True, default=str)


def check_nothing_owed(shop: Shop) -> None:
    """A task that failed meanwhile is tried again after a pause that grows."""
    eventually(lambda: not shop.documents("outbox"), timeout_seconds=30)


def check_followed(shop: Shop, found: Json) -> None:
    """The state is not merely the same twice, but right."""
    check_nothing_owed(shop)
    pairs = {frozenset(pair["products"]) for pair in found["match_pairs"].values()}
    kept = [GOODS[0][0], GOODS[2][0], GOODS[3][0]]
    assert pairs == {frozenset((f"keells: {name}", f"cargills: {name}")) for name in kept}
    lowest = DEFAULTS.thresholds.duplicate_confidence
    assert all(pair["confidence"] >= lowest for pair in found["match_pairs"].values())
    entries = {offer for key in found["match_keys"].values() for offer in key["entries"]}
    assert f"cargills: {GOODS[1][0]}" not in entries
    assert len(entries) == 17
    statistics = found["statistics"]["products"]
    assert (statistics["total"], statistics["by_retailer"]) == (17, {"keells": 14, "cargills": 3})


@pytest.fixture(scope="module")
def once(shop: Shop) -> Json:
    """The state after each event has come once and at once."""
    work(shop)
    shop.settle()
    return state(shop)


@pytest.fixture
def empty(shop: Shop) -> Iterator[Shop]:
    shop.clear()
    yield shop
    shop.stack.control.reset_events()


def test_events_that_come_once_are_followed(shop: Shop, once: Json) -> None:
    check_followed(shop, once)


def test_events_that_come_thrice_and_shuffled_lead_to_the_same(once: Json, empty: Shop) -> None:
    empty.stack.control.disturb_events(copies=3, delay_seconds=1.5)
    work(empty)
    empty.settle()
    told = empty.stack.control.events()
    assert told["delivered"] > 2.5 * (told["received"] - told["unchanged"]), told
    found = state(empty)
    check_followed(empty, found)
    assert found == once


def test_lost_events_are_made_up_for_by_the_sweep(once: Json, empty: Shop) -> None:
    empty.stack.control.disturb_events(drop=True)
    work(empty)
    empty.stack.control.wait_until_idle()
    owed = list(empty.documents("outbox").values())
    products = {record["id"] for record in owed if record["kind"] == "product"}
    assert products == set(empty.documents("products"))
    assert empty.documents("match_pairs") == {}
    # Beside the products: a price that was changed, two removals and a restoration.
    assert sweep(empty) == len(owed) == len(products) + 4
    empty.settle()
    # The one price that was changed is in its month by now, whose event is lost as well.
    assert sweep(empty) == 1
    empty.settle()
    found = state(empty)
    check_followed(empty, found)
    assert found == once
    assert sweep(empty) == 0


def test_the_scheduled_sweep_leaves_young_debts_to_the_triggers(empty: Shop) -> None:
    empty.stack.control.disturb_events(drop=True)
    empty.upload([row(1), row(2)])
    empty.settle()
    young, old = empty.database.collection("outbox").order_by("id").get()
    old.reference.update({"at": datetime(2020, 1, 1, tzinfo=UTC)})
    assert empty.call_private("sweep_outbox").is_success
    empty.settle()
    assert set(empty.documents("outbox")) == {young.id}
    assert set(empty.documents("match_states")) == {old.get("id")}


def test_a_lost_category_event_is_made_up_for(empty: Shop) -> None:
    empty.stack.control.disturb_events(drop=True)
    good(empty.http.post("/api/categories", json={"name": "Toys"}))
    empty.settle()
    assert set(empty.documents("outbox")) == {"category-toys"}
    assert sweep(empty) == 1
    empty.settle()
    check_nothing_owed(empty)


@pytest.fixture
def resumed(empty: Shop) -> Iterator[None]:
    """Tasks follow a write again, however the test ends."""
    yield
    empty.run(QUEUE, "resume", "matching")


@pytest.mark.parametrize("events", ["delivered", "lost"])
@pytest.mark.usefixtures("resumed")
def test_a_bump_that_redis_missed_is_made_up_for(empty: Shop, events: str) -> None:
    empty.upload([row(1)])
    empty.settle()
    product_id = next(iter(empty.documents("products")))
    cached(empty)
    assert cached(empty) == ("HIT", "")
    kept = {key: empty.redis("GET", key) for key in empty.redis("KEYS", "products:*")}
    empty.stack.control.disturb_events(drop=events == "lost")
    empty.run(QUEUE, "pause", "matching")
    valkey = empty.stack.part("valkey")
    valkey.kill()
    change(empty, product_id, size="1kg")
    eventually(lambda: sum(empty.stack.control.events()[each] for each in ("delivered", "dropped")))
    valkey.start()
    eventually(lambda: empty.redis("PING") == "PONG", timeout_seconds=10)
    # A Redis that is only cut off comes back with what it held before.
    for key, value in kept.items():
        empty.redis("SET", key, value)
    eventually(lambda: cached(empty) == ("HIT", ""))
    if events == "lost":
        assert sweep(empty) == 1
    empty.run(QUEUE, "resume", "matching")
    empty.settle()
    assert cached(empty)[1] == "1kg"
    check_nothing_owed(empty)


def test_totals_follow_while_redis_is_away(empty: Shop) -> None:
    empty.upload([row(1), row(2)])
    empty.settle()
    first, second = sorted(empty.documents("products"))
    valkey = empty.stack.part("valkey")
    valkey.kill()
    assert empty.http.delete(f"/api/products/{first}").is_success
    eventually(lambda: empty.get("/api/products/stats")["total"] == 1, timeout_seconds=10)
    assert [each["id"] for each in empty.get("/api/products")["products"]] == [second]
    valkey.start()
    eventually(lambda: empty.redis("PING") == "PONG", timeout_seconds=10)
    empty.settle()
    check_nothing_owed(empty)


def cached(shop: Shop) -> tuple[str, str]:
    answer = shop.http.get("/api/products")
    return answer.headers["X-Cache"], good(answer)["products"][0]["size"]


def test_a_redis_that_lost_everything_revives_no_old_page(empty: Shop) -> None:
    empty.upload([row(1)])
    empty.settle()
    product_id = next(iter(empty.documents("products")))
    cached(empty)
    valkey = empty.stack.part("valkey")
    valkey.kill()
    change(empty, product_id, size="2kg")
    assert cached(empty) == ("MISS", "2kg")
    valkey.start()
    eventually(lambda: empty.redis("PING") == "PONG", timeout_seconds=10)
    empty.settle()
    eventually(lambda: cached(empty) == ("HIT", "2kg"), timeout_seconds=10)
    check_nothing_owed(empty)


def test_a_category_and_its_products_move_though_events_are_lost(empty: Shop) -> None:
    good(empty.http.post("/api/categories", json={"name": "Old"}))
    good(empty.http.post("/api/categories", json={"name": "New"}))
    empty.upload([row(number, category="old") for number in range(5)])
    empty.settle()
    empty.stack.control.disturb_events(drop=True)
    told = good(empty.http.delete("/api/categories/old", params={"move_to": "new"}))
    assert told == {"id": "old", "moving": True, "moved_to": "new"}
    empty.settle()
    assert "old" not in empty.documents("categories")
    assert {each["category"] for each in empty.documents("products").values()} == {"new"}
    sweep(empty)
    empty.settle()
    check_nothing_owed(empty)
    assert empty.get("/api/products/stats")["by_category"] == {"new": 5}


def test_what_is_touched_while_it_is_counted_is_counted_again(empty: Shop) -> None:
    empty.run(QUEUE, "pause", "statistics")
    try:
        empty.upload([row(1)])
        seen_by_recount = empty.database.collection("statistics").document("touched").get()
        # The same retailer again: Firestore calls a write that changes nothing no change.
        empty.upload([row(2)])
        unchanged = empty.database.write_option(last_update_time=seen_by_recount.update_time)
        with pytest.raises(FailedPrecondition):
            seen_by_recount.reference.delete(option=unchanged)
    finally:
        empty.run(QUEUE, "resume", "statistics")
    empty.settle()
    assert empty.get("/api/products/stats")["total"] == 2
