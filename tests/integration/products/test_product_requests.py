"""What shoppers ask for: folding, counting once a day, races, lists, changes and the trail."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from local.stack import Stack
from local.tls import TLS
from shared.products.models import name_key
from tests.integration.products.support import READS, WRITES, Json, Shop, good

PATH = "/api/product-requests"
ADDRESS = "203.0.113."
AT_ONCE = 6

# Asks as many clients as there are addresses would; prints the count that each was told.
ASK = """
import sys
from shared.edge.request import Actor
from shared.products import product_requests
from shared.products.request_schemas import ProductWish

name, *addresses = sys.argv[1:]
for address in addresses:
    by = Actor("", "", "product_request.asked", address, "drill")
    view, is_new = product_requests.ask(ProductWish(name), by)
    print(view.count, int(is_new), view.id)
"""


def ask(stack: Stack, name: str, **fields: str) -> httpx.Response:
    """What a shopper is told who has no session."""
    url = f"{stack.plan.origin}{PATH}"
    return httpx.post(url, json={"name": name, **fields}, timeout=30, trust_env=False, verify=TLS)


def ask_from(shop: Shop, name: str, *addresses: str) -> list[tuple[int, bool, str]]:
    lines = [line.split() for line in shop.run(ASK, name, *addresses).splitlines()]
    return [(int(count), is_new == "1", request_id) for count, is_new, request_id in lines]


def change(shop: Shop, request_id: str, version: int | None = None, **body: str) -> httpx.Response:
    headers = {} if version is None else {"If-Match": f'"{version}"'}
    return shop.http.put(f"{PATH}/{request_id}", json=body, headers=headers)


def listed(shop: Shop, **query: object) -> list[Json]:
    found: list[Json] = []
    while True:
        page = shop.get(PATH, **query)
        found += page["requests"]
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]


def test_one_shopper_counts_once_a_day_however_often_and_however_written(
    shop: Shop, stack: Stack
) -> None:
    first = ask(stack, "Caf\u00e9 Noir", brand="Illy")
    assert first.status_code == 201
    assert first.json() == {**first.json(), "name": "Caf\u00e9 Noir", "status": "open", "count": 1}
    assert (int(first.headers[READS]), int(first.headers[WRITES])) == (2, 3)
    again = ask(stack, "  cafe,  NOIR ", brand="ILLY")
    assert again.status_code == 200
    assert again.json() == first.json()
    assert int(again.headers[WRITES]) == 0
    assert shop.documents("product_requests")[first.json()["id"]]["brand"] == "Illy"


def test_another_brand_or_size_is_another_request_and_another_unit_is_none(
    shop: Shop, stack: Stack
) -> None:
    small = {"brand": "Anchor", "size": "400g"}
    first = good(ask(stack, "Milk powder", **small))
    for other in ({"brand": "Nestle", "size": "400g"}, {"brand": "Anchor", "size": "1kg"}, {}):
        told = ask(stack, "Milk powder", **other)
        assert (told.status_code, told.json()["count"]) == (201, 1), other
        kept = shop.documents("product_requests")[told.json()["id"]]
        assert {name: kept[name] for name in small} == {"brand": "", "size": ""} | other
    for size in ("400 G", "0.4 kg", "0,4kg"):
        same = ask(stack, "MILK-powder", brand="anchor", size=size)
        assert (same.status_code, same.json()) == (200, first), size
    # A size that is no quantity tells requests apart by its words.
    large, family = (ask(stack, "Milk powder", size=size) for size in ("large", "family"))
    assert large.json()["id"] != family.json()["id"]
    assert ask(stack, "Milk powder", size="LARGE!").json() == large.json()


def test_others_are_counted_and_a_household_is_one(shop: Shop) -> None:
    told = ask_from(
        shop,
        "Oat Milk",
        *(f"{ADDRESS}{number}" for number in (1, 2, 2)),
        *("2001:db8::1", "2001:db8::ffff", "2001:db8:1::1"),
    )
    assert [count for count, _, _ in told] == [1, 2, 2, 3, 3, 4]
    assert [is_new for _, is_new, _ in told] == [True] + [False] * 5


def test_no_address_is_kept(shop: Shop) -> None:
    ask_from(shop, "Secret Sauce", f"{ADDRESS}77")
    for collection in ("product_requests", "product_request_marks", "audit_logs"):
        kept = shop.documents(collection)
        assert kept
        assert f"{ADDRESS}77" not in repr(kept)


def test_shoppers_at_once_are_all_counted(shop: Shop) -> None:
    def run(number: int) -> list[tuple[int, bool, str]]:
        return ask_from(shop, "Popular Thing", f"{ADDRESS}{number}", f"{ADDRESS}{number}")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        told = [line for lines in pool.map(run, range(100, 100 + AT_ONCE)) for line in lines]
    assert sum(is_new for _, is_new, _ in told) == 1
    request_id = told[0][2]
    assert shop.documents("product_requests")[request_id]["count"] == AT_ONCE


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "!!"}, "name"),
        ({"name": "Tea", "email": "me@example.com"}, "email"),
        ({"name": "Tea", "size": "x" * 61}, "size"),
    ],
)
def test_a_wrong_wish_is_refused(stack: Stack, body: Json, field: str) -> None:
    url = f"{stack.plan.origin}{PATH}"
    answer = httpx.post(url, json=body, timeout=30, trust_env=False, verify=TLS)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_lists_hold_each_request_once_by_status_and_in_order(shop: Shop) -> None:
    for number in range(7):
        addresses = [f"198.51.100.{each}" for each in range(1 + number % 3)]
        (*_, (_, _, request_id)) = ask_from(shop, f"Listed {number}", *addresses)
        if number % 2:
            good(change(shop, request_id, status="planned"))
    stored = shop.documents("product_requests")
    for sort, field in (("-created_at", "created_at"), ("-count", "count")):
        for status in ("open", "planned", None):
            query = {"status": status} if status else {}
            found = listed(shop, sort=sort, limit=2, **query)
            fits = {k for k, v in stored.items() if status in (None, v["status"])}
            assert len(found) == len(fits)
            assert {each["id"] for each in found} == fits
            values = [each[field] for each in found]
            assert values == sorted(values, reverse=True)


def test_a_page_costs_its_rows_and_its_cursor_fits_no_other_list(shop: Shop) -> None:
    shop.renew_copy()
    answer = shop.http.get(PATH, params={"limit": 2})
    assert int(answer.headers[READS]) <= 3
    cursor = answer.json()["next_cursor"]
    foreign = shop.http.get(PATH, params={"limit": 2, "cursor": cursor, "status": "open"})
    assert foreign.status_code == 400


def test_a_change_is_versioned_audited_and_survives_being_asked_for(shop: Shop) -> None:
    ((_, _, request_id),) = ask_from(shop, "Goat Cheese", f"{ADDRESS}1")
    changed = change(shop, request_id, 1, status="planned", note="in May")
    assert changed.headers["ETag"] == '"2"'
    assert name_key(good(changed)["name"]) == "goat cheese"
    assert change(shop, request_id, 1, status="done").status_code == 412
    ask_from(shop, "Goat Cheese", f"{ADDRESS}2")
    same = change(shop, request_id, 2, status="planned", note="in May")
    assert (good(same)["version"], same.json()["count"]) == (2, 2)
    assert int(same.headers[WRITES]) == 0
    (entry,) = [
        each
        for each in shop.documents("audit_logs").values()
        if each["request_id"] == changed.headers["X-Request-Id"]
    ]
    assert entry["action"] == "product_request.updated"
    assert entry["before"] == {"status": "open", "note": ""}
    assert entry["after"] == {"status": "planned", "note": "in May"}


def test_of_two_changes_at_once_one_is_told_to_look_again(shop: Shop) -> None:
    ((_, _, request_id),) = ask_from(shop, "Contested", f"{ADDRESS}1")

    def decide(status: str) -> int:
        return change(shop, request_id, 1, status=status).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(decide, ("done", "rejected"))) == [200, 412]


def test_what_nobody_asked_for_cannot_be_changed(shop: Shop) -> None:
    assert change(shop, "absent", status="done").status_code == 404
    assert change(shop, "absent", status="bought").status_code == 422
