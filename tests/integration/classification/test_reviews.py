"""The review queue: what a decision changes, all of it once, and what it is refused for."""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest

from local.stack import Stack
from shared.classification import labels, ledgers, reviews
from shared.classification.calibration import Outcome
from shared.classification.models import Decided, Item
from shared.clients import firestore
from tests import sessions
from tests.integration.edge.instance import instance
from tests.sessions import SUPER_ADMIN
from tests.unsure import UNSURE

FAILED = msgspec.structs.replace(
    UNSURE, category=None, confidence=None, raw_confidence=None, provider=None, failure="No answer."
)


class Shop:
    """Products of one retailer, and their entries in the queue."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        self.retailer = f"shop-{secrets.token_hex(4)}"

    def products(self, count: int) -> list[dict[str, Any]]:
        rows = [
            {"name": f"Leaf {secrets.token_hex(4)}", "price": 10 + n, "retailer": self.retailer}
            for n in range(count)
        ]
        self.http.post("/api/products/confirm", json={"products": rows}).raise_for_status()
        wanted = {"retailer": self.retailer, "sort": "price"}
        listed: list[dict[str, Any]] = self.http.get("/api/products", params=wanted).json()[
            "products"
        ]
        return listed[-count:]

    def category(self, product_id: str) -> str:
        told: str = self.http.get(f"/api/products/{product_id}").json()["category"]
        return told

    def decide(self, entry: str, decision: str, category: str | None = None) -> httpx.Response:
        body = {"decision": decision} | ({"category": category} if category else {})
        return self.http.post(f"/classify/reviews/{entry}", json=body)


@pytest.fixture(scope="module")
def shop(stack: Stack) -> Iterator[Shop]:
    with sessions.new_client(stack, sessions.log_in(stack, SUPER_ADMIN)) as http:
        yield Shop(http)


def queued(stack: Stack, product: dict[str, Any], decided: Decided = UNSURE) -> str:
    """An entry of the product; its id."""
    item = Item(product["name"], brand="Dilmah", id=product.get("id"))
    entry_id, document = reviews.review_entry(
        item, decided, origin=f"test-{secrets.token_hex(6)}", at=datetime.now(UTC)
    )
    with instance(stack.environment()):
        reviews.reference(entry_id).create(document, **firestore.limits())
    return entry_id


def learnt(stack: Stack) -> tuple[dict[str, str], int]:
    """Each label's category by its text, and how much the ledger of cerebras knows."""
    with instance(stack.environment()):
        known = {label.text: label.category for label in labels.read()}
        return known, len(ledgers.read(["cerebras"]).get("cerebras", []))


def test_a_decision_changes_product_labels_and_ledger_once(stack: Stack, shop: Shop) -> None:
    one, other, third = shop.products(3)
    entries = [queued(stack, product) for product in (one, other, third)]
    _, known_before = learnt(stack)

    accepted = shop.decide(entries[0], "accept")
    assert accepted.status_code == 200, accepted.text
    told = accepted.json()
    assert (told["status"], told["decided_category"], told["raw_confidence"]) == (
        "accepted",
        "tea",
        91,
    )
    assert (told["current"]["category"], told["rationale"]) == ("tea", "Tea by its name.")
    assert told["decided_at"].endswith("Z")
    assert shop.decide(entries[1], "correct", "coffee").json()["status"] == "corrected"
    assert shop.decide(entries[2], "reject").json()["status"] == "rejected"

    categories = [shop.category(product["id"]) for product in (one, other, third)]
    assert categories == ["tea", "coffee", third["category"]]
    again = [
        shop.decide(entries[0], "accept"),
        shop.decide(entries[0], "correct", "tea"),
        shop.decide(entries[1], "correct", "coffee"),
        shop.decide(entries[2], "reject"),
    ]
    assert [answer.status_code for answer in again] == [200] * 4
    assert again[0].json() == told
    opposite = shop.decide(entries[1], "accept")
    assert (opposite.status_code, opposite.json()["detail"]) == (
        409,
        "This was corrected to coffee before.",
    )
    known, decisions = learnt(stack)
    assert known[f"Dilmah {one['name']}"] == "tea"
    assert known[f"Dilmah {other['name']}"] == "coffee"
    assert f"Dilmah {third['name']}" not in known
    assert decisions == known_before + 3

    # Who has seen a decision may correct it, and its label; of the provider nothing more is known.
    body, path = {"decision": "correct", "category": "coffee"}, f"/classify/reviews/{entries[0]}"
    for version, status in ((told["version"] - 1, 409), (told["version"], 200)):
        answer = shop.http.post(path, json=body, headers={"If-Match": f'"{version}"'})
        assert answer.status_code == status, answer.text
    assert shop.category(one["id"]) == "coffee"
    known, decisions = learnt(stack)
    assert (known[f"Dilmah {one['name']}"], decisions) == ("coffee", known_before + 3)
    for resource in (f"products/{other['id']}", f"classification_reviews/{entries[1]}"):
        trail = shop.http.get("/api/audit/logs", params={"resource": resource}).json()["entries"]
        assert [entry["action"] for entry in trail].count("classification.reviewed") == 1


def outcomes(stack: Stack) -> list[Outcome]:
    with instance(stack.environment()):
        return ledgers.read(["cerebras"]).get("cerebras", [])


def test_a_decision_is_taken_back_with_all_that_came_of_it(stack: Stack, shop: Shop) -> None:
    one, other = shop.products(2)
    entries = [queued(stack, product) for product in (one, other)]
    (known_before, _), before = learnt(stack), outcomes(stack)
    accepted = shop.decide(entries[0], "accept").json()
    # A correction of the decision gives a second label.
    body, path = {"decision": "correct", "category": "coffee"}, f"/classify/reviews/{entries[0]}"
    headers = {"If-Match": f'"{accepted["version"]}"'}
    shop.http.post(path, json=body, headers=headers).raise_for_status()
    shop.decide(entries[1], "correct", "coffee").raise_for_status()
    edited = {name: other[name] for name in ("brand", "size", "name", "price", "currency")}
    moved = shop.http.put(f"/api/products/{other['id']}", json={**edited, "category": "biscuits"})
    assert moved.status_code == 200, moved.text

    stale = shop.http.post(path, json={"decision": "reopen"}, headers=headers)
    assert stale.status_code == 412, stale.text
    assert shop.decide(entries[0], "reopen", "tea").status_code == 422
    assert shop.decide("nothing", "reopen").status_code == 404
    told = [shop.decide(entry, "reopen").json() for entry in entries]
    assert [(each["status"], each["decided_category"]) for each in told] == [("open", None)] * 2
    assert shop.decide(entries[0], "reopen").json() == told[0]
    # Where it was, unless somebody has filed it elsewhere since.
    assert [shop.category(each["id"]) for each in (one, other)] == [one["category"], "biscuits"]
    assert learnt(stack)[0] == known_before
    assert outcomes(stack) == before
    trail = shop.http.get(
        "/api/audit/logs", params={"resource": f"classification_reviews/{entries[0]}"}
    ).json()["entries"]
    assert [entry["after"]["status"] for entry in trail] == ["open", "corrected", "accepted"]

    assert shop.decide(entries[0], "accept").json()["status"] == "accepted"
    assert outcomes(stack) == [Outcome(91, right=True), *before]


def test_what_cannot_be_decided_says_why(stack: Stack, shop: Shop) -> None:
    gone, edited = shop.products(2)
    lost, changed, failed = (
        queued(stack, gone),
        queued(stack, edited),
        queued(stack, {"name": "Odd", "id": "../elsewhere"}, FAILED),
    )
    shop.http.delete(f"/api/products/{gone['id']}").raise_for_status()
    shown = shop.http.get("/classify/reviews", params={"limit": 3}).json()["reviews"]
    (seen,) = (each for each in shown if each["id"] == changed)
    body = {name: edited[name] for name in ("brand", "size", "category", "price", "currency")}
    renamed = shop.http.put(f"/api/products/{edited['id']}", json={**body, "name": "Bath Soap"})
    assert renamed.status_code == 200, renamed.text

    stale = shop.http.post(
        f"/classify/reviews/{changed}",
        json={"decision": "accept"},
        headers={"If-Match": f'"{seen["version"]}"'},
    )
    refused = {
        stale: (412, "its product changed"),
        shop.decide(lost, "accept"): (409, "The product was removed"),
        shop.decide(failed, "accept"): (409, "Nobody found a category"),
        shop.decide(failed, "correct", "no-such"): (422, ""),
        shop.decide(failed, "correct"): (422, ""),
        shop.decide(failed, "reject", "tea"): (422, ""),
        shop.decide("nothing", "reject"): (404, ""),
    }
    for answer, (status, words) in refused.items():
        assert (answer.status_code, words in answer.text) == (status, True), answer.text
    assert shop.decide(lost, "reject").json()["status"] == "rejected"
    # A product of elsewhere teaches its category, and nothing of the catalogue changes.
    taught = shop.decide(failed, "correct", "biscuits").json()
    assert (taught["reason"], taught["product"], taught["current"]) == (
        "failed",
        {"name": "Odd", "brand": "Dilmah"},
        None,
    )
    assert learnt(stack)[0]["Dilmah Odd"] == "biscuits"


def test_many_are_decided_at_once_and_the_queue_is_paged(stack: Stack, shop: Shop) -> None:
    one, other = shop.products(2)
    cerebras = [queued(stack, one), queued(stack, one), queued(stack, other)]
    local = queued(stack, other, msgspec.structs.replace(UNSURE, provider="local"))
    wanted: dict[str, str | int] = {"provider": "cerebras", "category": "tea", "limit": 2}
    first = shop.http.get("/classify/reviews", params=wanted).json()
    assert [each["id"] for each in first["reviews"]] == cerebras[:0:-1]
    foreign: dict[str, str | int] = {"limit": 2, "cursor": first["next_cursor"]}
    assert shop.http.get("/classify/reviews", params=foreign).status_code == 400
    after = {**wanted, "cursor": first["next_cursor"]}
    assert cerebras[0] in shop.http.get("/classify/reviews", params=after).text

    shop.decide(local, "reject").raise_for_status()
    body = {"ids": [*cerebras, local, "nothing"], "decision": "accept"}
    told = shop.http.post("/classify/reviews", json=body).json()["results"]
    assert [each["status"] for each in told] == ["accepted"] * 3 + ["failed"] * 2
    assert told[3]["detail"] == "This was rejected before."
    # Both entries of one product, in one commit.
    assert [shop.category(each["id"]) for each in (one, other)] == ["tea", "tea"]
    decided = shop.http.get("/classify/reviews", params={"status": "decided"}).json()
    assert set(cerebras) <= {each["id"] for each in decided["reviews"]}


def test_what_was_renamed_meanwhile_is_not_decided_among_many(stack: Stack, shop: Shop) -> None:
    renamed, same = shop.products(2)
    entries = [queued(stack, renamed), queued(stack, {**same, "name": same["name"].upper()})]
    body = {name: renamed[name] for name in ("brand", "size", "category", "price", "currency")}
    put = shop.http.put(f"/api/products/{renamed['id']}", json={**body, "name": "Bath Soap"})
    assert put.status_code == 200, put.text
    told = shop.http.post("/classify/reviews", json={"ids": entries, "decision": "accept"})
    first, second = told.json()["results"]
    assert (first["status"], "another name now" in first["detail"]) == ("failed", True)
    assert second["status"] == "accepted"
    assert shop.category(renamed["id"]) == renamed["category"]
    assert shop.decide(entries[0], "accept").json()["status"] == "accepted"


def test_labels_follow_the_products_of_a_category_that_goes(stack: Stack, shop: Shop) -> None:
    gone, there = (f"shelf-{secrets.token_hex(4)}" for _ in range(2))
    for name in (gone, there):
        shop.http.post("/api/categories", json={"name": name}).raise_for_status()
    (product,) = shop.products(1)
    shop.decide(queued(stack, product), "correct", gone).raise_for_status()
    wanted = {"move_to": there}
    shop.http.delete(f"/api/categories/{gone}", params=wanted).raise_for_status()
    stack.control.wait_until_idle(60)
    assert shop.category(product["id"]) == there
    assert learnt(stack)[0][f"Dilmah {product['name']}"] == there


def test_of_opposite_decisions_at_once_one_counts(stack: Stack, shop: Shop) -> None:
    (product,) = shop.products(1)
    entry = queued(stack, product)
    _, known_before = learnt(stack)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda word: shop.decide(entry, word), ("accept", "reject")))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert learnt(stack)[1] == known_before + 1


def test_a_streamed_product_of_the_catalogue_enters_the_queue_once(shop: Shop) -> None:
    (product,) = shop.products(1)
    products = [
        {"name": product["name"], "id": product["id"]},
        {"name": product["name"], "id": "of0elsewhere"},
    ]
    for _ in range(2):
        streamed = shop.http.post("/classify", json={"products": products, "provider": "local"})
        assert streamed.text.count('"needs_review":true') == 2
    wanted: dict[str, str | int] = {"provider": "local", "limit": 100}
    queue = shop.http.get("/classify/reviews", params=wanted).json()["reviews"]
    found = [each for each in queue if each["product"]["name"] == product["name"]]
    assert [each["product"].get("id") for each in found] == [product["id"]]
    assert found[0]["raw_confidence"] is not None
