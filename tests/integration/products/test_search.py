"""The search follows what is written, and shows nothing that is not so any more."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests import search_server
from tests.integration.products.support import WRITES, Json, Shop, good

LISTS = ("search_lists", "search_states", "search_vocabularies")
GOODS = (
    ("Anchor Full Cream Milk Powder", "Anchor", "400g", "keells"),
    ("Anchor Full Cream Milk Powder", "Anchor", "1kg", "cargills"),
    ("Munchee Super Cream Cracker", "Munchee", "190g", "keells"),
    ("Sunlight Lemon Soap", "Sunlight", "110g", "keells"),
)


@pytest.fixture(scope="module", params=["lists", "opensearch"])
def stocked(shop: Shop, request: pytest.FixtureRequest) -> Iterator[Shop]:
    """The same goods, found by the one engine and by the other."""
    if request.param == "lists":
        yield filled(shop)
        return
    shop.clear()
    with search_server.started() as server, search_server.serving(shop, server.url):
        yield filled(shop)


def filled(shop: Shop) -> Shop:
    rows = [
        {"name": n, "brand": b, "size": s, "retailer": r, "price": "500.00"} for n, b, s, r in GOODS
    ]
    shop.upload(rows)
    shop.idle()
    return shop


@pytest.fixture(autouse=True)
def engine(stocked: Shop, request: pytest.FixtureRequest) -> Iterator[None]:
    """Each test is served by the engine that it is about, to its end."""
    yield
    told = stocked.get("/api/products/search", q="munchee cracker")
    assert told["engine"] == request.node.callspec.params["stocked"]


def found(shop: Shop, q: str, **filters: Any) -> list[Json]:
    products = shop.get("/api/products/search", q=q, **filters)["products"]
    assert isinstance(products, list)
    return products


def names(shop: Shop, q: str, **filters: Any) -> list[str]:
    return [each["name"] for each in found(shop, q, **filters)]


def kept(shop: Shop) -> Json:
    return {collection: shop.documents(collection) for collection in LISTS}


def change(shop: Shop, product_id: str, **fields: Any) -> None:
    before = shop.get(f"/api/products/{product_id}")
    body = {name: before[name] for name in ("name", "brand", "size", "category", "price")}
    good(shop.http.put(f"/api/products/{product_id}", json=body | fields))
    shop.idle()


def test_slips_are_forgiven_and_the_size_decides(stocked: Shop) -> None:
    for query in ("munchee craker super", "Cream Cracker", "MUNCHE cream"):
        assert names(stocked, query)[:1] == [GOODS[2][0]], query
    assert found(stocked, "anchor milk powdr 1000 g")[0]["size"] == "1kg"
    assert found(stocked, "anchor milk powdr 400g")[0]["size"] == "400g"


def test_filters_and_limit(stocked: Shop) -> None:
    assert len(found(stocked, "full cream milk")) >= 2
    assert len(found(stocked, "full cream milk", limit=1)) == 1
    only = found(stocked, "full cream milk", retailer="cargills")
    assert {each["retailer"] for each in only} == {"cargills"}
    assert found(stocked, "full cream milk", status="pending") == []
    assert found(stocked, "full cream milk", category="soap") == []


@pytest.mark.parametrize("query", [{}, {"q": "a"}, {"q": "milk", "limit": 21}, {"q": "x" * 101}])
def test_what_cannot_be_asked_is_refused(stocked: Shop, query: dict[str, Any]) -> None:
    answer = stocked.http.get("/api/products/search", params=query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] in ("q", "limit")


def test_a_changed_name_is_found_and_the_old_one_is_not(stocked: Shop) -> None:
    product_id = found(stocked, "sunlight soap")[0]["id"]
    change(stocked, product_id, name="Moonlight Orange Soap", brand="Moonlight")
    assert [each["id"] for each in found(stocked, "monlight orange")] == [product_id]
    assert found(stocked, "sunlight lemon") == []
    change(stocked, product_id, name="Sunlight Lemon Soap", brand="Sunlight")
    assert [each["id"] for each in found(stocked, "sunlihgt lemon")] == [product_id]


def test_a_removed_product_leaves_every_list_and_comes_back(stocked: Shop) -> None:
    product_id = found(stocked, "munchee cracker")[0]["id"]
    before = kept(stocked)
    good(stocked.http.delete(f"/api/products/{product_id}"))
    stocked.idle()
    assert found(stocked, "munchee cracker") == []
    after = kept(stocked)
    assert product_id not in after["search_states"]
    assert not any(product_id in fields["entries"] for fields in after["search_lists"].values())
    good(stocked.http.post(f"/api/products/{product_id}/restore"))
    stocked.idle()
    assert kept(stocked) == before


def test_told_again_nothing_changes(stocked: Shop) -> None:
    before = kept(stocked)
    product_id = found(stocked, "munchee cracker")[0]["id"]
    for _ in range(3):
        answer = stocked.call_private("match_product", {"product_id": product_id})
        assert answer.is_success
        assert answer.headers[WRITES] == "0"
    change(stocked, product_id, price=510)
    assert kept(stocked) == before


def test_what_a_list_still_says_of_an_older_product_is_not_shown(stocked: Shop) -> None:
    """The documents are changed behind the functions' back, so that no list hears of it."""
    product = found(stocked, "munchee cracker")[0]
    document = stocked.database.collection("products").document(product["id"])
    stocked.stack.control.disturb_events(drop=True)
    try:
        document.update({"name": "Something Else", "brand": ""})
        assert found(stocked, "munchee cracker") == []
        document.update({"name": product["name"], "brand": "Munchee", "listed": False})
        assert found(stocked, "munchee cracker") == []
        document.update({"listed": True})
        assert names(stocked, "munchee cracker") == [product["name"]]
    finally:
        stocked.stack.control.reset_events()
