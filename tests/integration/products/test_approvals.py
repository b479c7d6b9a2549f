"""What is found waits for a decision: proposals, decisions, and what each leaves elsewhere."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from google.cloud.firestore import DELETE_FIELD

from local.accounts import ADMIN
from tests.integration.products.support import READS, Json, Shop, good, row, signed_in
from tests.polling import eventually

# Proposes what it is given under the settings as they are, in a process that remembers no others.
PROPOSE = """
import json, sys
from shared.edge.request import Actor
from shared.products import proposing
offers = json.loads(sys.argv[1])
told = proposing.propose(offers, "drill", Actor("drill", "", "products.proposed", "", ""))
ids = [told.product_ids[number + 1] for number in range(len(offers))]
print(told.new, told.changed, told.approved, told.unchanged, len(set(ids)))
"""
WHY = {"reason": "Not ours to sell."}


@pytest.fixture(autouse=True)
def empty(shop: Shop) -> None:
    """Empty but for its sessions, and without triggers, which most of this does not need."""
    shop.clear_documents()


@pytest.fixture
def followed(shop: Shop) -> Iterator[Shop]:
    """The shop with its triggers, whose work is done when the test ends."""
    shop.stack.control.reset_events()
    yield shop
    shop.settle()


def propose(shop: Shop, *offers: Json, source: str = "crawl-1") -> None:
    answer = shop.call_private("propose_products", {"offers": offers, "source": source})
    assert answer.status_code == 204, answer.text


def pending(shop: Shop, **query: Any) -> list[Json]:
    """Every row of the list, page by page."""
    rows: list[Json] = []
    while True:
        page = shop.get("/api/products/pending", **query)
        rows += page["pending"]
        if page["next_cursor"] is None:
            return rows
        query["cursor"] = page["next_cursor"]


def only(shop: Shop) -> Json:
    (found,) = pending(shop)
    return found


def decide(shop: Shop, verb: str, product_id: str, **more: Any) -> httpx.Response:
    path = f"/api/products/pending/{product_id}/{verb}"
    body = more.pop("json", WHY if verb == "reject" else {})
    return shop.http.post(path, json=body, **more)


def product(shop: Shop, product_id: str) -> Json:
    return shop.get(f"/api/products/{product_id}")


def active(shop: Shop, number: int = 1, **fields: Any) -> str:
    """The id of an uploaded product."""
    shop.upload([row(number, **fields)])
    owners = shop.documents("products").items()
    return next(pid for pid, each in owners if each["name"] == row(number, **fields)["name"])


def listed(shop: Shop, **query: Any) -> list[str]:
    return [each["id"] for each in shop.get("/api/products", **query)["products"]]


def entries(shop: Shop, action: str) -> list[Json]:
    return [e for e in shop.documents("audit_logs").values() if e["action"] == action]


def test_a_new_offer_waits_unseen_and_is_everywhere_once_it_is_approved(followed: Shop) -> None:
    shop = followed
    twin = active(shop, 1, retailer="cargills")
    shop.settle()
    before = shop.get("/api/products/stats")
    propose(shop, row(1))
    shop.settle()
    found = only(shop)
    assert (found["kind"], found["status"], found["known"]) == ("new", "pending", None)
    assert (found["product"]["name"], found["product"]["price"]) == (row(1)["name"], 101.5)
    assert found["match"]["product_id"] == twin
    assert found["match"]["confidence"] >= 50
    new, words = found["id"], row(1)["name"]
    assert listed(shop) == listed(shop, q=words) == [twin]
    assert listed(shop, status="pending") == [new]
    assert shop.get("/api/products/stats") == before
    assert [p["id"] for p in shop.get("/api/products/search", q=words)["products"]] == [twin]
    assert shop.get(f"/api/products/{twin}/matches")["matches"] == []
    price = {"product_id": new, "price": 100, "retailer": "keells", "source": "api"}
    refused = good(shop.http.post("/api/prices/upload", json={"prices": [price]}))
    assert refused["rejected"] == 1

    told = decide(shop, "approve", new)
    assert (told.status_code, told.json()["status"]) == (200, "approved")
    assert told.json()["decided_by"] is not None
    assert told.headers["ETag"] == f'"{told.json()["version"]}"'
    assert set(listed(shop)) == {twin, new}
    assert listed(shop, status="pending") == []
    assert pending(shop) == []
    shop.settle()
    assert shop.get("/api/products/stats")["total"] == before["total"] + 1
    found_by_search = shop.get("/api/products/search", q=words)["products"]
    assert {each["id"] for each in found_by_search} == {twin, new}
    for one, other in ((twin, new), (new, twin)):
        (match,) = shop.get(f"/api/products/{one}/matches")["matches"]
        assert match["product"]["id"] == other
    assert shop.documents("outbox") == {}


def test_the_same_again_changes_nothing_and_a_newer_one_replaces_it(shop: Shop) -> None:
    propose(shop, row(1), row(1), row(2, name=""))
    before = {name: shop.documents(name) for name in ("products", "proposals", "audit_logs")}
    assert len(before["products"]) == len(before["audit_logs"]) == 1
    propose(shop, row(1), source="crawl-2")
    after = {name: shop.documents(name) for name in ("products", "proposals", "audit_logs")}
    assert after == before
    found = only(shop)
    edit = {"name": "A better name", "price": 101.5}
    good(shop.http.put(f"/api/products/{found['id']}", json=edit))
    propose(shop, row(1, price="77"), source="crawl-2")
    newer = only(shop)
    assert (newer["product"]["name"], newer["product"]["price"]) == ("A better name", 77)
    assert (newer["id"], newer["source"]) == (found["id"], "crawl-2")
    assert newer["version"] > found["version"]


def test_a_rejected_offer_stays_so_until_it_is_another_one(shop: Shop) -> None:
    propose(shop, row(1))
    found = only(shop)["id"]
    for reason in ({}, {"reason": ""}, {"reason": "  "}, {"reason": "x" * 501}):
        assert decide(shop, "reject", found, json=reason).status_code == 422
    told = good(decide(shop, "reject", found))
    assert (told["status"], told["reason"]) == ("rejected", WHY["reason"])
    assert product(shop, found)["status"] == "rejected"
    before = shop.documents("proposals")
    assert good(decide(shop, "reject", found)) == told
    assert decide(shop, "approve", found).status_code == 409
    propose(shop, row(1, price="55", url="https://keells.test/1"))
    assert shop.documents("proposals") == before
    assert listed(shop) == []
    assert pending(shop) == []
    propose(shop, row(1, size="2 kg"))
    assert (only(shop)["id"], only(shop)["product"]["size"]) == (found, "2 kg")
    good(decide(shop, "approve", found))
    assert listed(shop) == [found]


def test_a_change_waits_beside_its_product(shop: Shop) -> None:
    known = active(shop)
    propose(shop, row(1, price="120", size="2 kg"))
    assert product(shop, known)["price"] == 101.5
    assert listed(shop) == [known]
    found = only(shop)
    told = {each["field"]: (each["known"], each["proposed"]) for each in found["differences"]}
    assert (found["id"], found["kind"]) == (known, "change")
    assert told == {"price": (101.5, 120), "size": ("", "2 kg")}
    answer = good(decide(shop, "approve", known))
    assert answer["differences"] == found["differences"]
    (seen,) = shop.get("/api/products")["products"]
    assert (seen["price"], seen["size"], seen["version"]) == (120, "2 kg", 2)
    assert good(decide(shop, "approve", known)) == answer
    assert decide(shop, "reject", known).status_code == 409
    (entry,) = entries(shop, "proposal.approved")
    assert (entry["resource"], entry["actor_email"]) == (f"products/{known}", ADMIN.email)
    assert (entry["before"]["price_minor"], entry["after"]["price_minor"]) == (10150, 12000)
    propose(shop, row(1, price="120", size="2 kg"))
    assert pending(shop) == []


def test_what_was_refused_of_a_change_is_not_asked_again(shop: Shop) -> None:
    known = active(shop)
    propose(shop, row(1, price="120", brand="Other"))
    assert good(decide(shop, "reject", known))["status"] == "rejected"
    assert product(shop, known)["version"] == 1
    (entry,) = entries(shop, "proposal.rejected")
    assert (entry["after"]["brand"], entry["after"]["reason"]) == ("Other", WHY["reason"])
    propose(shop, row(1, price="120", brand="Other"))
    assert pending(shop) == []
    propose(shop, row(1, price="130", brand="Other"))
    assert [each["field"] for each in only(shop)["differences"]] == ["price"]
    # It is what is known again, so there is nothing left to decide.
    propose(shop, row(1, brand="Other"))
    assert pending(shop) == []
    assert decide(shop, "approve", known).status_code == 404


def test_an_edit_meanwhile_stays_and_what_was_shown_is_stale(shop: Shop) -> None:
    known = active(shop)
    propose(shop, row(1, price="120", size="2 kg"))
    shown = only(shop)
    edit = {"name": "By hand", "price": 101.5, "size": "2 kg"}
    good(shop.http.put(f"/api/products/{known}", json=edit))
    again = only(shop)
    assert [each["field"] for each in again["differences"]] == ["price"]
    stale = {"If-Match": f'"{shown["version"]}"'}
    for verb in ("approve", "reject"):
        assert decide(shop, verb, known, headers=stale).status_code == 412
    fresh = {"If-Match": f'"{again["version"]}"'}
    told = decide(shop, "approve", known, headers=fresh)
    assert (told.status_code, told.headers["ETag"]) == (200, f'"{told.json()["version"]}"')
    now = product(shop, known)
    assert (now["name"], now["price"], now["size"]) == ("By hand", 120, "2 kg")
    # What the retailer calls it still differs, and was not asked before.
    propose(shop, row(1, price="120", size="2 kg"))
    assert [each["field"] for each in only(shop)["differences"]] == ["name", "brand"]


def test_a_removal_takes_the_proposal_with_it(shop: Shop) -> None:
    known = active(shop)
    propose(shop, row(1, price="120"))
    good(shop.http.delete(f"/api/products/{known}"))
    assert pending(shop) == []
    assert decide(shop, "approve", known).status_code == 404
    propose(shop, row(1, price="120"))
    found = only(shop)
    assert (found["kind"], found["id"] != known) == ("new", True)


def removed_and_restored(shop: Shop, product_id: str) -> Json:
    """The product that was away for a while, during which nothing of it waited."""
    path = f"/api/products/{product_id}"
    good(shop.http.delete(path))
    assert pending(shop) == []
    for verb in ("approve", "reject"):
        assert decide(shop, verb, product_id).status_code == 404
    return good(shop.http.post(f"{path}/restore"))


def test_what_waited_waits_again_once_it_is_restored(shop: Shop) -> None:
    propose(shop, row(1))
    found = only(shop)
    assert removed_and_restored(shop, found["id"])["status"] == "pending"
    assert listed(shop) == []
    again = only(shop)
    assert again == found | {"version": again["version"]}
    assert again["version"] > found["version"]
    good(decide(shop, "approve", found["id"]))
    assert listed(shop) == [found["id"]]
    propose(shop, row(1, price="120"))
    change = only(shop)
    assert removed_and_restored(shop, found["id"])["status"] == "active"
    assert only(shop)["differences"] == change["differences"]


def test_what_was_refused_is_so_still_once_it_is_restored(shop: Shop) -> None:
    propose(shop, row(1))
    refused = only(shop)["id"]
    good(decide(shop, "reject", refused))
    assert removed_and_restored(shop, refused)["status"] == "rejected"
    assert listed(shop) == []
    known = active(shop, 2)
    propose(shop, row(2, price="120"))
    good(decide(shop, "reject", known))
    assert removed_and_restored(shop, known)["status"] == "active"
    propose(shop, row(1), row(2, price="120"))
    assert pending(shop) == []


def test_what_was_deleted_before_that_was_noted_comes_back_active(shop: Shop) -> None:
    known = active(shop)
    good(shop.http.delete(f"/api/products/{known}"))
    document = shop.database.document(f"products/{known}")
    assert document.get().get("status_before") == "active"
    document.update({"status_before": DELETE_FIELD})
    assert good(shop.http.post(f"/api/products/{known}/restore"))["status"] == "active"


def test_a_refusal_outlives_the_retention_and_the_rules_do_not_overrule_it(shop: Shop) -> None:
    known = active(shop)
    changed = row(1, price="105.50")
    propose(shop, changed)
    good(decide(shop, "reject", known))
    proposal = shop.database.document(f"proposals/{known}")
    before = proposal.get().to_dict()
    assert before is not None
    long_ago = datetime.now(UTC) - timedelta(days=3650)
    proposal.update({"decided_at": long_ago, "proposed_at": long_ago})
    assert shop.call_private("apply_retention").is_success
    rules = {"max_price_change_percent": 10, "min_match_confidence": 60}
    set_rules(shop, enabled=True, retailers=["keells"], **rules)
    try:
        assert shop.run(PROPOSE, json.dumps([changed])) == "0 0 0 1 1\n"
        # Another price was never refused, and its proposal counts on from the last.
        assert shop.run(PROPOSE, json.dumps([row(1, price="106.50")])) == "0 1 1 0 1\n"
    finally:
        shop.database.document("configuration/settings").delete()
    assert product(shop, known)["price"] == 106.5
    after = proposal.get().to_dict()
    assert after is not None
    assert after["version"] > before["version"]


def test_an_upload_of_what_waits_is_a_duplicate_of_it(shop: Shop) -> None:
    propose(shop, row(1))
    found = only(shop)["id"]
    preview = shop.preview([row(1)])
    assert [each["product_id"] for each in preview["duplicate_details"]] == [found]
    assert shop.confirm(preview["upload_id"], "all")["inserted"] == 0
    good(decide(shop, "reject", found))
    # A person's upload asks nobody.
    assert shop.upload([row(1)])["inserted"] == 1


@pytest.mark.parametrize(
    ("verbs", "expected"),
    [(("approve", "approve"), [200, 200]), (("approve", "reject"), [200, 409])],
)
def test_of_two_who_decide_at_once_one_wins(
    shop: Shop, verbs: tuple[str, str], expected: list[int]
) -> None:
    known = active(shop)

    def one(http: httpx.Client, verb: str) -> int:
        return decide(Shop(shop.stack, http, shop.database), verb, known).status_code

    for attempt in range(3):
        propose(shop, row(1, price=str(200 + attempt)))
        # Not at once: two logins of one account may meet each other's lock.
        callers = [signed_in(shop.stack) for _ in verbs]
        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(one, callers, verbs)) == expected
        for http in callers:
            http.close()
        proposal = shop.documents("proposals")[known]
        wanted = 200 + attempt == product(shop, known)["price"]
        assert (proposal["status"] == "approved") == wanted
    assert len(entries(shop, "proposal.approved") + entries(shop, "proposal.rejected")) == 3


def test_many_are_decided_in_one_commit_with_one_entry(shop: Shop) -> None:
    known = active(shop)
    propose(shop, row(1, price="120"), *(row(number) for number in range(2, 6)))
    change, *new = sorted((each["id"] for each in pending(shop)), key=lambda i: i != known)
    good(decide(shop, "reject", new[0]))
    ids = [change, *new, new[1], "absent"]
    answer = good(shop.http.post("/api/products/pending/approve", json={"ids": ids}))
    told = {each["id"]: each["status"] for each in answer["results"]}
    assert told == {
        change: "approved",
        new[0]: "failed",
        **dict.fromkeys(new[1:], "approved"),
        "absent": "failed",
    }
    assert [each["detail"] for each in answer["results"] if each["status"] == "failed"] == [
        "This was rejected before.",
        "Nothing is proposed for such a product.",
    ]
    # What is listed from now on is owed to the figures of prices.
    owed = [each.get("relisted", []) for each in shop.documents("outbox").values()]
    assert sorted(new[1:]) in [sorted(ids) for ids in owed]
    assert set(listed(shop)) == {change, *new[1:]}
    (entry,) = entries(shop, "proposals.approved")
    assert (entry["resource"], set(entry["after"]["items"])) == ("proposals", {change, *new[1:]})
    assert good(shop.http.post("/api/products/pending/approve", json={"ids": ids})) == answer
    assert len(entries(shop, "proposals.approved")) == 1
    body = {"ids": [new[0], new[1]], **WHY}
    refused = good(shop.http.post("/api/products/pending/reject", json=body))["results"]
    assert [each["status"] for each in refused] == ["rejected", "failed"]
    wrongs: list[Json] = [{"ids": []}, {"ids": ["x"] * 101}, {"ids": ["a/b"]}, {}]
    for wrong in wrongs:
        answer_to = shop.http.post("/api/products/pending/approve", json=wrong)
        assert answer_to.status_code == 422


def test_an_approved_product_has_its_category_or_waits_for_it(shop: Shop) -> None:
    known = active(shop, category="tea")
    propose(shop, row(1, price="9"), row(2, category="Kept apart"), row(3, category="leaving"))
    tree = shop.database.collection("categories")
    leaving = {"name": "Leaving", "parent_id": None, "version": 2, "moved_to": "tea"}
    tree.document("leaving").set({**leaving, "updated_at": datetime.now(UTC)})
    ids = {each["product"]["category"]: each["id"] for each in pending(shop)}
    answer = good(shop.http.post("/api/products/pending/approve", json={"ids": [*ids.values()]}))
    told = {each["id"]: each["status"] for each in answer["results"]}
    assert told == {known: "approved", ids["kept-apart"]: "approved", ids["leaving"]: "failed"}
    assert tree.document("kept-apart").get().exists
    assert decide(shop, "approve", ids["leaving"]).status_code == 409
    assert only(shop)["id"] == ids["leaving"]


def test_a_hundred_are_decided_at_once(shop: Shop) -> None:
    propose(shop, *(row(number, category="tea") for number in range(100)))
    ids = [each["id"] for each in pending(shop, limit=100)]
    assert len(ids) == 100
    body = {"ids": ids, **WHY}
    answer = good(shop.http.post("/api/products/pending/reject", json=body))
    assert {each["status"] for each in answer["results"]} == {"rejected"}
    assert {each["status"] for each in shop.documents("products").values()} == {"rejected"}


def test_the_list_is_filtered_turned_and_bounded(shop: Shop) -> None:
    active(shop, 100)
    propose(shop, row(100, price="7"), *(row(number, category="tea") for number in range(12)))
    propose(shop, *(row(number, retailer="cargills", category="rice") for number in range(12, 20)))
    everything = [each["id"] for each in pending(shop)]
    assert len(set(everything)) == len(everything) == 21
    assert [each["id"] for each in pending(shop, limit=4)] == everything
    moments = [each["proposed_at"] for each in pending(shop, limit=100)]
    assert moments == sorted(moments, reverse=True)
    counts = {
        (("kind", "change"),): 1,
        (("retailer", "cargills"),): 8,
        (("category", "tea"),): 12,
        (("category", "tea"), ("kind", "new"), ("retailer", "keells")): 12,
        (("category", "tea"), ("retailer", "cargills")): 0,
    }
    for filters, expected in counts.items():
        page = shop.get("/api/products/pending", **dict(filters))
        assert (page["total"], page["total_is_minimum"]) == (expected, False)
        assert len(pending(shop, limit=5, **dict(filters))) == expected
    answer = shop.http.get("/api/products/pending", params={"limit": 5})
    # The session, the count, and of each row itself, its product, its partners and one of them.
    assert int(answer.headers[READS]) <= 2 + 4 * 5
    foreign = {"cursor": answer.json()["next_cursor"], "retailer": "keells"}
    assert shop.http.get("/api/products/pending", params=foreign).status_code == 400
    assert shop.http.get("/api/products/pending", params={"kind": "old"}).status_code == 422


def set_rules(shop: Shop, **rules: Any) -> None:
    """The settings as they would be stored, for whoever reads them from now on."""
    fields = {"auto_approval": rules, "version": 1, "updated_at": datetime.now(UTC)}
    shop.database.document("configuration/settings").set(fields)


def test_the_rules_approve_what_they_name(followed: Shop) -> None:
    shop = followed
    twins = [row(number, retailer="cargills", category="tea") for number in (1, 2)]
    shop.upload([*twins, row(3, category="tea"), row(4, category="tea"), row(5, category="tea")])
    shop.settle()
    rules = {"max_price_change_percent": 10, "min_match_confidence": 60}
    set_rules(shop, enabled=True, retailers=["keells"], **rules)
    offers = [
        row(1, category="tea"),  # a match at another retailer
        row(2, category="no-such-category"),
        row(6, category="tea"),  # nothing like it
        row(3, category="tea", price="105.50"),  # 2 % more
        row(4, category="tea", price="210"),  # twice the price
        row(5, category="tea", name="Entirely another thing"),
        row(7, category="tea", retailer="cargills"),  # not named
    ]
    try:
        assert shop.run(PROPOSE, json.dumps(offers)) == "4 3 2 0 7\n"
    finally:
        shop.database.document("configuration/settings").delete()
    reasons = {each["product"]["name"]: each["reason"] for each in pending(shop)}
    assert reasons == {
        row(2)["name"]: "the category is not known",
        row(6)["name"]: "the best match is 0 % sure, under 60 %",
        row(4)["name"]: "the price moved by 101 %, the limit is 10 %",
        "Entirely another thing": reasons["Entirely another thing"],
        row(7)["name"]: "cargills is not approved without a person",
    }
    assert reasons["Entirely another thing"].startswith("that it is the same product is ")
    by_name = {fields["name"]: fields for fields in shop.documents("products").values()}
    keells = shop.get("/api/products", retailer="keells", category="tea")["products"]
    assert {each["name"] for each in keells} == {row(number)["name"] for number in (1, 3, 4, 5)}
    assert by_name[row(3)["name"]]["price_minor"] == 10550
    approved = [p for p in shop.documents("proposals").values() if p["status"] == "approved"]
    assert {each["decided_by"] for each in approved} == {"auto-approval"}
    (entry,) = entries(shop, "products.proposed")
    assert len(entry["after"]["approved"]) == 2
    shop.settle()
    assert shop.documents("outbox") == {}
    assert shop.get("/api/products/stats")["by_retailer"] == {"cargills": 2, "keells": 4}


def test_work_that_was_cut_off_goes_on_when_it_comes_again(shop: Shop) -> None:
    offers = [row(number) for number in range(150)]
    # Of its two commits the first is made.
    shop.cut_off("shared.products.proposing", "_propose_chunk", 1, PROPOSE, json.dumps(offers))
    assert len(shop.documents("products")) == 100
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: repeated(shop, offers), range(2)))
    products = shop.documents("products")
    assert len(products) == len(shop.documents("proposals")) == 150
    assert {fields["version"] for fields in products.values()} == {1}


def repeated(shop: Shop, offers: list[Json]) -> None:
    """As Cloud Tasks does: again until it is taken."""
    body = {"offers": offers, "source": "drill"}
    eventually(
        lambda: shop.call_private("propose_products", body).status_code == 204, timeout_seconds=60
    )


def test_a_body_that_cannot_be_read_is_kept_and_not_tried_again(shop: Shop) -> None:
    known = len(shop.documents("dead_letters"))
    for body in ({"offers": [], "source": "x"}, {"offers": [row(1)]}):
        assert shop.call_private("propose_products", body).status_code == 204
    assert len(shop.documents("dead_letters")) == known + 2
    assert shop.documents("products") == {}
