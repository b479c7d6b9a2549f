"""Categories that are changed, filled or removed by several at once."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from shared.products.category_tree import MAX_CATEGORIES
from shared.products.default_categories import DEFAULT_CATEGORIES
from tests.integration.products.support import QUEUE, Shop, good, row

NUMBERS = itertools.count(1)

# Removes a category, and lets another call get in between after its n-th look for products.
REMOVE = """
import sys
from shared.clients import firestore
from shared.edge.request import Actor
from shared.errors import ShoppleError
from shared.products import category_removal, category_tree
from shared.products.category_schemas import CategoryChange

category_id, between, nth, product_id = sys.argv[1:]
by = Actor("drill", "", "category.deleted", "", "")
look, looks = category_removal._has_products, 0

def look_and_lose_the_race(asked):
    global looks
    looks += 1
    found = look(asked)
    if looks == int(nth) and between == "rename":
        category_tree.change(category_id, CategoryChange("Renamed"), None, by)
    if looks == int(nth) and between == "file":
        firestore.client().document(f"products/{product_id}").update({"category": category_id})
    return found

category_removal._has_products = look_and_lose_the_race
try:
    category_removal.remove(category_id, None, 1, by)
except ShoppleError as error:
    print(error.status)
"""

# Ensures numbered categories, says how many commits and bumps it took; dies before the n-th commit.
ENSURE = """
import os, sys
from google.cloud.firestore_v1.services.firestore.client import FirestoreClient
from shared.edge import cache
from shared.edge.request import Actor
from shared.errors import ShoppleError
from shared.products import category_tree

first, end, dies_at = map(int, sys.argv[1:])
commit, bump, commits, bumps = FirestoreClient.commit, cache.bump, 0, 0

def counted_commit(*args, **kwargs):
    global commits
    commits += 1
    if commits == dies_at:
        os._exit(0)
    return commit(*args, **kwargs)

def counted_bump(*args):
    global bumps
    bumps += 1
    bump(*args)

FirestoreClient.commit, cache.bump = counted_commit, counted_bump
by = Actor("drill", "", "upload.confirmed", "", "")
category_tree.ensure({f"shelf-{number:04}" for number in range(first, end)}, by)
print(commits, bumps)
"""


@pytest.fixture(autouse=True)
def only_the_first_set(shop: Shop) -> None:
    """Each test has the categories of an empty database, and none of another's."""
    seeds = {seed.id for seed in DEFAULT_CATEGORIES}
    batch = shop.database.batch()
    for category_id in set(shop.documents("categories")) - seeds:
        batch.delete(shop.database.document(f"categories/{category_id}"))
    batch.commit()
    shop.settle()
    shop.redis("FLUSHALL")
    shop.get("/api/categories")


def create(shop: Shop, name: str, parent_id: str | None = None) -> None:
    body = {"name": name, "parent_id": parent_id}
    assert good(shop.http.post("/api/categories", json=body))["name"] == name


def a_product(shop: Shop, **fields: Any) -> str:
    number = next(NUMBERS)
    shop.upload([row(number, **fields)])
    return next(
        product_id
        for product_id, found in shop.documents("products").items()
        if found["retailer_sku"] == f"S{number}"
    )


@contextmanager
def moves_held_back(shop: Shop) -> Iterator[None]:
    shop.run(QUEUE, "pause", "uploads")
    try:
        yield
    finally:
        shop.run(QUEUE, "resume", "uploads")


@pytest.mark.parametrize(("between", "nth"), [("rename", 1), ("rename", 2), ("file", 1)])
def test_a_category_that_changes_while_it_is_removed_stays(
    shop: Shop, between: str, nth: int
) -> None:
    create(shop, "Contested")
    product_id = a_product(shop)
    assert shop.run(REMOVE, "contested", between, str(nth), product_id) == "409\n"
    assert shop.documents("categories")["contested"]["name"] == (
        "Renamed" if between == "rename" else "Contested"
    )
    assert shop.run(REMOVE, "contested", "nothing", "0", product_id) == (
        "412\n" if between == "rename" else "409\n"
    )


def test_nothing_is_filed_under_a_category_that_is_moving(shop: Shop) -> None:
    for name in ("Leaving", "Staying"):
        create(shop, name)
    product_id = a_product(shop)
    a_product(shop, category="leaving")
    confirm = {"upload_id": shop.preview([row(next(NUMBERS), category="leaving")])["upload_id"]}
    with moves_held_back(shop):
        told = good(shop.http.delete("/api/categories/leaving", params={"move_to": "staying"}))
        assert told["moving"] is True
        body = {"name": "A", "price": 1, "category": "leaving"}
        refused = shop.http.put(f"/api/products/{product_id}", json=body)
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["field"] == "category"
        held_back = shop.http.post("/api/products/confirm", json=confirm)
        assert held_back.status_code == 409
        assert "staying" in held_back.json()["detail"]
    shop.settle()
    assert good(shop.http.post("/api/products/confirm", json=confirm))["inserted"] == 1
    # The rows still name it, so that it is there again and no product's category is lost.
    assert {"leaving", "staying"} <= set(shop.documents("categories"))


def test_a_loop_that_two_moves_left_can_be_read_and_undone(shop: Shop) -> None:
    for name in ("Hen", "Egg"):
        create(shop, name)
    for one, other in (("hen", "egg"), ("egg", "hen")):
        shop.database.document(f"categories/{one}").update({"parent_id": other})
    shop.redis("FLUSHALL")
    assert {"hen", "egg"} <= {each["id"] for each in shop.get("/api/categories")["categories"]}
    deeper = shop.http.put("/api/categories/hen", json={"name": "Hen", "parent_id": "milk"})
    assert good(deeper)["path"][-1] == "Hen"
    assert shop.get("/api/categories/egg")["path"][-2:] == ["Hen", "Egg"]


def test_an_uploads_categories_are_created_together(shop: Shop) -> None:
    assert shop.run(ENSURE, "0", "240", "0") == "1 1\n"
    assert shop.run(ENSURE, "0", "240", "0") == "0 0\n"
    listed = {each["id"]: each["path"] for each in shop.get("/api/categories")["categories"]}
    assert listed["shelf-0239"] == ["Shelf 0239"]


def test_categories_cut_off_half_way_are_completed(shop: Shop) -> None:
    resources = "audit_logs"
    before = len(shop.documents(resources))
    assert shop.run(ENSURE, "300", "700", "2") == ""
    assert len(shop.documents("categories")) == len(DEFAULT_CATEGORIES) + 250
    # Somebody else's new one in between is no hindrance.
    create(shop, "Shelf 0699")
    assert shop.run(ENSURE, "300", "700", "0") == "1 1\n"
    assert len(shop.documents("categories")) == len(DEFAULT_CATEGORIES) + 400
    assert len(shop.documents(resources)) == before + 400


def test_an_upload_beyond_the_most_categories_is_refused(shop: Shop) -> None:
    room = MAX_CATEGORIES - len(DEFAULT_CATEGORIES)
    shop.run(ENSURE, "0", str(room - 1), "0")
    rows = [row(next(NUMBERS), category=f"over {letter}") for letter in "ab"]
    body = {"upload_id": shop.preview(rows)["upload_id"]}
    refused = shop.http.post("/api/products/confirm", json=body)
    assert refused.status_code == 409
    assert f"of {MAX_CATEGORIES} there are {MAX_CATEGORIES - 1}" in refused.json()["detail"]
    assert len(shop.documents("categories")) == MAX_CATEGORIES - 1
    # Where there is room again, the same confirm goes on.
    good(shop.http.delete("/api/categories/shelf-0000"))
    assert good(shop.http.post("/api/products/confirm", json=body))["inserted"] == len(rows)
    assert len(shop.get("/api/categories")["categories"]) == MAX_CATEGORIES
