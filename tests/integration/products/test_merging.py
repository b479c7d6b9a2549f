"""Merges and what undoes them, through the API and in the database behind it."""

import itertools
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx

from shared.prices.summaries import bucket_of, unpack
from shared.products.merging import MOST_OFFERS
from tests.integration.products.support import READS, Json, Shop, good, row
from tests.polling import eventually

NUMBERS = itertools.count(1)
# Merges and ends its process between the commit and what the answer would wait for.
DYING = """
import os, sys
from shared.edge.request import Actor
from shared.products import grouping
from shared.products.group_schemas import MergeRequest
grouping.forget_pages = lambda _: os._exit(0)
primary, *duplicates = sys.argv[1:]
grouping.merge(MergeRequest(primary, duplicates), Actor("drill", "", "products.merged", "", ""))
"""


def offers(shop: Shop, count: int, **fields: object) -> list[str]:
    """So many offers of as many retailers, in order."""
    numbers = [next(NUMBERS) for _ in range(count)]
    shop.upload([row(n, retailer=f"shop-{at}", **fields) for at, n in enumerate(numbers)])
    found = {f["retailer_sku"]: pid for pid, f in shop.documents("products").items()}
    return [found[f"S{number}"] for number in numbers]


def ask(shop: Shop, primary: str, *duplicates: str) -> httpx.Response:
    body = {"primary_id": primary, "duplicate_ids": duplicates}
    return shop.http.post("/api/products/merge", json=body)


def merge(shop: Shop, primary: str, *duplicates: str) -> Json:
    return good(ask(shop, primary, *duplicates))


def unmerge(shop: Shop, group_id: str, *leaving: str) -> Json:
    body = {"group_id": group_id} | ({"product_ids": leaving} if leaving else {})
    return good(shop.http.post("/api/products/unmerge", json=body))


def shown(shop: Shop, product_id: str) -> Json:
    return shop.get(f"/api/products/{product_id}")


def place(shop: Shop, product_id: str) -> tuple[str | None, bool | None]:
    found = shown(shop, product_id)
    return found.get("group_id"), found.get("primary")


def prices_of(shop: Shop, product_id: str) -> list[Json]:
    points: list[Json] = shop.get(f"/api/prices/history/{product_id}")["points"]
    assert points
    return points


def said(shop: Shop) -> set[tuple[str, ...]]:
    return {tuple(f["products"]) for f in shop.documents("match_decisions").values()}


def pair(a: str, b: str) -> tuple[str, ...]:
    return tuple(sorted((a, b)))


def decide(shop: Shop, a: str, b: str, *, same: bool) -> None:
    fields = {"same": same, "decided_by": "somebody", "source": "review"}
    fields |= {"products": sorted((a, b)), "decided_at": datetime.now(UTC)}
    shop.database.document(f"match_decisions/{'_'.join(sorted((a, b)))}").set(fields)


def agree(shop: Shop, ids: Iterable[str]) -> None:
    """Each group and its offers say the same of one another."""
    products, groups = shop.documents("products"), shop.documents("product_groups")
    alive = {gid: g for gid, g in groups.items() if g["members"] and not g["joined_to"]}
    inside = {
        member["id"]: (gid, member["id"] == group["primary_id"])
        for gid, group in alive.items()
        for member in group["members"]
    }
    for product_id in ids:
        told = products[product_id]
        assert (told["group_id"], told["primary"]) == inside.get(product_id, (None, None))


def test_offers_are_merged_edited_and_taken_apart_again(shop: Shop) -> None:
    a, b, c = ids = offers(shop, 3)
    before = {product_id: shown(shop, product_id) for product_id in ids}
    told = merge(shop, a, b)
    group_id = told["group_id"]
    assert (told["primary_id"], told["product_ids"], told["product"]["id"]) == (a, [a, b], a)
    assert told["added"] == [b]
    assert merge(shop, a, b) == told | {"added": []}
    grown = merge(shop, a, c)
    assert (grown["group_id"], grown["added"]) == (group_id, [c])
    assert [place(shop, pid) for pid in ids] == [(group_id, True), *[(group_id, False)] * 2]
    listed = shop.get("/api/products", retailer="shop-1")["products"]
    assert group_id in {each.get("group_id") for each in listed}
    assert said(shop) >= {pair(a, b), pair(a, c)}
    parted = shop.http.post("/api/products/duplicates/decide", json={"same": [a], "different": [c]})
    assert parted.status_code == 409

    edit = {"name": "Edited later", "price": 7, "brand": "Anchor", "description": "Long."}
    edited = good(shop.http.put(f"/api/products/{b}", json=edit))
    assert (edited["group_id"], edited["primary"]) == (group_id, False)
    group = shop.get(f"/api/products/groups/{group_id}")
    assert (group["primary_id"], group["product_ids"]) == (a, ids)
    assert [offer["id"] for offer in group["offers"]] == ids
    assert group["product"]["description"] == "Long."
    assert group["product"]["name"] == before[a]["name"]
    assert {each["retailer"]: each["product_id"] for each in group["prices"]} == {
        f"shop-{at}": product_id for at, product_id in enumerate(ids)
    }
    assert [each["action"] for each in group["history"]] == ["merged", "merged"]
    assert group["history"][0]["product_ids"] == [c]

    assert unmerge(shop, group_id) == {
        "group_id": group_id,
        "removed": ids,
        "remaining": [],
        "restored": [],
    }
    assert unmerge(shop, group_id)["removed"] == []
    assert shop.http.get(f"/api/products/groups/{group_id}").status_code == 404
    for product_id in ids:
        now = shown(shop, product_id)
        assert now.pop("version") > before[product_id].pop("version")
        wanted = before[product_id] | (
            {k: now[k] for k in edit | {"size": ""}} if product_id == b else {}
        )
        assert now | {"updated_at": ""} == wanted | {"updated_at": ""}
    assert not said(shop) & {pair(a, b), pair(a, c)}
    lines = shop.database.collection(f"product_groups/{group_id}/ledger").stream()
    kept = [line.to_dict() or {} for line in lines]
    assert sorted(line["action"] for line in kept) == ["merged", "merged", "unmerged"]
    assert all(line["was"] for line in kept)
    actions = [
        entry["action"]
        for entry in shop.documents("audit_logs").values()
        if entry["resource"] == f"product_groups/{group_id}"
    ]
    assert sorted(actions) == ["products.merged", "products.merged", "products.unmerged"]


def test_groups_join_and_part_with_their_own_ids(shop: Shop) -> None:
    a, b, c, d, e = ids = offers(shop, 5)
    one, two = merge(shop, a, b)["group_id"], merge(shop, c, d)["group_id"]
    joined = merge(shop, d, b, e)
    assert (joined["group_id"], joined["primary_id"]) == (two, d)
    assert set(joined["product_ids"]) == set(ids)
    assert joined["added"] == [e, a, b]
    agree(shop, ids)
    refused = shop.http.post("/api/products/unmerge", json={"group_id": one})
    assert refused.status_code == 409
    assert two in refused.json()["detail"]
    told = unmerge(shop, two, a, b, e)
    assert (told["removed"], told["remaining"]) == ([e, a, b], [c, d])
    assert told["restored"] == [one]
    agree(shop, ids)
    assert [place(shop, pid) for pid in (a, c, e)] == [(one, True), (two, True), (None, None)]
    # A word that somebody had given by itself outlasts the merge that it agreed with.
    decide(shop, a, e, same=True)
    merge(shop, a, e)
    unmerge(shop, one, e)
    assert pair(a, e) in said(shop)
    # Of a group that joined another one and ended with it, nobody says that it is part of that.
    merge(shop, c, a)
    assert unmerge(shop, two)["restored"] == []
    assert unmerge(shop, one)["removed"] == []
    gone = shop.http.get(f"/api/products/groups/{one}").json()["detail"]
    assert "part of" not in gone
    # So does one that somebody gives after the merge.
    anew = merge(shop, a, c)["group_id"]
    # What follows a merge writes the states that a decision reads.
    shop.idle()
    confirmed = {"same": [a, c]}
    good(shop.http.post("/api/products/duplicates/decide", json=confirmed))
    unmerge(shop, anew, c)
    assert pair(a, c) in said(shop)


def test_what_cannot_be_merged_is_refused_by_name(shop: Shop) -> None:
    a, b, c, gone = offers(shop, 4)
    good(shop.http.delete(f"/api/products/{gone}"))
    for ids, field, word in (
        (("absent", a), "primary_id", "not a known"),
        ((a, b, "absent"), "duplicate_ids[1]", "not a known"),
        ((a, gone), "duplicate_ids[0]", "restore"),
        ((a, b, a), "duplicate_ids[1]", "itself"),
    ):
        answer = ask(shop, *ids)
        assert answer.status_code == 422
        (error,) = answer.json()["errors"]
        assert (error["field"], word in error["message"]) == (field, True)
    decide(shop, c, b, same=False)
    group_id = merge(shop, a, b)["group_id"]
    # Nobody has said anything of these two, but one of their group was told apart from it.
    refused = ask(shop, a, c)
    assert refused.status_code == 409
    assert "not to be the same" in refused.json()["detail"]
    for body, field in (
        ({"group_id": "absent"}, "group_id"),
        ({"group_id": group_id, "product_ids": [c]}, "product_ids[0]"),
    ):
        answer = shop.http.post("/api/products/unmerge", json=body)
        assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert place(shop, c) == (None, None)


def test_a_group_is_bounded_and_so_is_what_a_look_at_it_reads(shop: Shop) -> None:
    ids = offers(shop, MOST_OFFERS + 1)
    merge(shop, *ids[: MOST_OFFERS - 1])
    group_id = merge(shop, ids[0], ids[MOST_OFFERS - 1])["group_id"]
    refused = ask(shop, ids[0], ids[-1])
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "duplicate_ids"
    answer = shop.http.get(f"/api/products/groups/{group_id}")
    # The group, its offers, its history; and the session, where its copy is not in Redis.
    assert int(answer.headers[READS]) <= 1 + MOST_OFFERS + 2 + 1


def test_a_removed_offer_leaves_its_group_and_comes_back_alone(shop: Shop) -> None:
    a, b, c = ids = offers(shop, 3)
    group_id = merge(shop, a, b, c)["group_id"]
    removed = good(shop.http.delete(f"/api/products/{a}"))
    assert "group_id" not in removed
    agree(shop, ids)
    assert place(shop, b) == (group_id, True)
    # What the merge said of it goes with it: matched again, it is to be decided by somebody.
    assert not said(shop) & {pair(a, b), pair(a, c)}
    good(shop.http.post(f"/api/products/{a}/restore"))
    assert place(shop, a) == (None, None)
    good(shop.http.delete(f"/api/products/{c}"))
    agree(shop, ids)
    # One offer makes no group.
    assert place(shop, b) == (None, None)
    group = shop.http.get(f"/api/products/groups/{group_id}")
    assert group.status_code == 404


def test_a_merge_is_followed_although_its_process_ends(shop: Shop) -> None:
    a, b = offers(shop, 2)
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    prices = [
        {
            "product_id": pid,
            "price": 300,
            "retailer": f"shop-{at}",
            "timestamp": now,
            "source": "api",
        }
        for at, pid in enumerate((a, b))
    ]
    good(shop.http.post("/api/prices/upload", json={"prices": prices}))
    shop.idle()
    assert "group_id" not in str(shop.get("/api/products", retailer="shop-0")["products"][0])
    shop.run(DYING, a, b)
    shop.idle()
    listed = shop.get("/api/products", retailer="shop-0")["products"]
    group_id = next(each["group_id"] for each in listed if each["id"] == a)
    # Each history is its offer's own; at another retailer it is that of the offer there.
    own = shop.get(f"/api/prices/history/{a}")
    assert [point["retailer"] for point in own["points"]] == ["shop-0"]
    assert shop.get(f"/api/prices/history/{a}", retailer="shop-1")["points"] == prices_of(shop, b)
    assert shop.get(f"/api/prices/history/{b}", retailer="shop-0")["points"] == prices_of(shop, a)
    # What is merged is compared by price.
    for product_id in (a, b):
        bucket = shop.documents("price_summaries")[bucket_of(product_id)]
        assert unpack(bucket["products"])[product_id].group_id == group_id
    assert shop.documents("outbox") == {}
    unmerge(shop, group_id)
    assert shop.get(f"/api/prices/history/{a}", retailer="shop-1")["points"] == []


def test_merges_edits_and_removals_at_once_leave_nothing_torn(shop: Shop) -> None:
    ids = offers(shop, 6)
    a, b, c, d, e, f = ids

    def edit() -> httpx.Response:
        body = {"name": "Edited meanwhile", "price": 3}
        return shop.http.put(f"/api/products/{b}", json=body)

    work = [
        lambda: ask(shop, a, b, c),
        lambda: ask(shop, c, d),
        lambda: ask(shop, d, e, b),
        edit,
        lambda: shop.http.delete(f"/api/products/{c}"),
        lambda: ask(shop, e, f),
    ]
    with ThreadPoolExecutor(len(work)) as pool:
        answers = [each.result() for each in [pool.submit(one) for one in work]]
    # A merge that meets the removal is refused; one that meets others too often is told so.
    assert {answer.status_code for answer in answers} <= {200, 409, 422}, answers
    assert answers[3].status_code in (200, 409)
    agree(shop, ids)
    if answers[3].is_success:
        assert shown(shop, b)["name"] == "Edited meanwhile"
    groups = {place(shop, pid)[0] for pid in ids} - {None}
    for group_id in groups:
        unmerge(shop, str(group_id))
    assert {place(shop, pid) for pid in ids} == {(None, None)}


def test_an_export_tells_the_group(shop: Shop) -> None:
    a, b = offers(shop, 2, category="merged-exports")
    group_id = merge(shop, a, b)["group_id"]
    body = {"category": "merged-exports"}
    export_id = good(shop.http.post("/api/products/export", json=body))["export_id"]

    def written() -> Json | None:
        told = shop.get(f"/api/products/exports/{export_id}")
        return told if told["status"] == "completed" else None

    text = httpx.get(eventually(written)["url"], trust_env=False).text
    assert text.count(group_id) == 2
