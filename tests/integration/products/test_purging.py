"""What was deleted long ago goes for good, and nothing else does."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.system.configuration_records import DEFAULTS
from tests.integration.products.support import Json, Shop, good, row

KEPT = timedelta(days=DEFAULTS.retention_days.deleted_products)
LONG_AGO = datetime.now(UTC) - KEPT - timedelta(days=1)
TWINS = ("keells", "cargills")

# Removes what was deleted long ago, and lets a restoration get in between its look and its removal.
PURGE = """
import sys
from datetime import timedelta
from shared.edge.request import Actor
from shared.products import catalogue, purging

forget = purging._forget_identities

def forget_and_lose_the_race(batch, product_id):
    forget(batch, product_id)
    catalogue.restore(product_id, None, Actor("drill", "", "product.restored", "", ""))

purging._forget_identities = forget_and_lose_the_race
print(purging.purge(timedelta(days=90), Actor("drill", "", "products.purged", "", "")))
"""


@pytest.fixture(autouse=True)
def empty(shop: Shop) -> None:
    shop.clear()


def twins(shop: Shop) -> dict[str, str]:
    """The same offer of two retailers, matched; their ids."""
    shop.upload([row(1, retailer=retailer) for retailer in TWINS])
    shop.settle()
    found = {fields["retailer"]: pid for pid, fields in shop.documents("products").items()}
    assert shop.get(f"/api/products/{found['keells']}/matches")["matches"]
    return found


def deleted(shop: Shop, product_id: str, when: datetime = LONG_AGO) -> None:
    good(shop.http.delete(f"/api/products/{product_id}"))
    shop.settle()
    shop.database.document(f"products/{product_id}").update({"updated_at": when})
    shop.settle()


def of(shop: Shop, product_id: str) -> Json:
    """Every document that names the product, but the audit trail."""
    left = {}
    for collection in (
        "products",
        "match_states",
        "match_pairs",
        "match_decisions",
        "match_keys",
        "search_lists",
        "search_states",
        "outbox",
        "proposals",
    ):
        for name, fields in shop.documents(collection).items():
            if product_id in f"{name} {fields}":
                left[f"{collection}/{name}"] = fields
    owners = shop.documents("product_identities").items()
    return left | {name: fields for name, fields in owners if fields["product_id"] == product_id}


def test_what_was_deleted_long_ago_goes_with_all_that_hangs_on_it(shop: Shop) -> None:
    ids = twins(shop)
    change = {"offers": [row(1, price="120")], "source": "drill"}
    assert shop.call_private("propose_products", change).is_success
    said = {"same": [ids[retailer] for retailer in TWINS]}
    good(shop.http.post("/api/products/duplicates/decide", json=said))
    deleted(shop, ids["keells"])
    assert f"proposals/{ids['keells']}" in of(shop, ids["keells"])
    assert shop.call_private("purge_products").is_success
    shop.settle()
    assert of(shop, ids["keells"]) == {}
    assert shop.http.get(f"/api/products/{ids['keells']}").status_code == 404
    assert shop.get(f"/api/products/{ids['cargills']}")["name"] == row(1)["name"]
    entries = shop.documents("audit_logs").values()
    (entry,) = [each for each in entries if each["action"] == "products.purged"]
    assert entry["resource"] == f"products/{ids['keells']}"
    assert entry["before"]["name"] == row(1)["name"]


def test_without_its_event_the_sweep_does_the_rest(shop: Shop) -> None:
    ids = twins(shop)
    deleted(shop, ids["keells"])
    shop.stack.control.disturb_events(drop=True)
    assert shop.call_private("purge_products").is_success
    shop.settle()
    assert f"outbox/product-{ids['keells']}" in of(shop, ids["keells"])
    owed = shop.database.document(f"outbox/product-{ids['keells']}")
    owed.update({"at": datetime(2020, 1, 1, tzinfo=UTC)})
    assert shop.call_private("sweep_outbox").is_success
    shop.settle()
    assert of(shop, ids["keells"]) == {}


def test_the_same_offer_uploaded_again_is_a_new_product(shop: Shop) -> None:
    ids = twins(shop)
    deleted(shop, ids["keells"])
    assert shop.call_private("purge_products").is_success
    assert shop.upload([row(1)])["inserted"] == 1
    assert ids["keells"] not in shop.documents("products")


def test_what_was_deleted_lately_or_not_at_all_stays(shop: Shop) -> None:
    ids = twins(shop)
    deleted(shop, ids["keells"], datetime.now(UTC) - KEPT + timedelta(hours=1))
    shop.database.document(f"products/{ids['cargills']}").update({"updated_at": LONG_AGO})
    assert shop.call_private("purge_products").is_success
    assert set(shop.documents("products")) == set(ids.values())


def test_what_is_restored_meanwhile_stays_whole(shop: Shop) -> None:
    ids = twins(shop)
    deleted(shop, ids["keells"])
    assert shop.run(PURGE) == "0\n"
    shop.settle()
    assert shop.get(f"/api/products/{ids['keells']}")["status"] == "active"
    assert shop.upload([row(1)])["skipped"] == 1


def test_its_prices_go_with_it_and_its_place_on_the_dashboard(shop: Shop) -> None:
    ids = twins(shop)
    price = {"retailer": "keells", "price": 120, "source": "api"}
    sent = {"prices": [{"product_id": ids["keells"], **price}]}
    assert good(shop.http.post("/api/prices/upload", json=sent))["stored"] == 1
    shop.settle()
    months = shop.database.collection(f"products/{ids['keells']}/prices")
    assert list(months.list_documents())
    assert ids["keells"] in str(shop.documents("price_summaries"))
    deleted(shop, ids["keells"])
    assert shop.call_private("purge_products").is_success
    assert not list(months.list_documents())
    owed = shop.database.document(f"outbox/price-purged-{ids['keells']}")
    owed.update({"at": datetime(2020, 1, 1, tzinfo=UTC)})
    assert shop.call_private("sweep_outbox").is_success
    shop.settle()
    assert ids["keells"] not in str(shop.documents("price_summaries"))
    assert of(shop, ids["keells"]) == {}
