"""The catalogue as the dashboard uses it: lists, single products, categories, files, exports."""

import csv
import io
import itertools
import json
import secrets
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from openpyxl import Workbook

from shared.clock import epoch_micros
from shared.products.default_categories import DEFAULT_CATEGORIES
from tests.integration.products.support import WORK_SECONDS, Json, Shop, good, row
from tests.polling import eventually

# What counts as the same product under the settings as they are: the matches shown, duplicates of
# an upload, the matches once the product is followed anew.
JUDGE = """
import json, sys
from shared.edge.request import Actor
from shared.products import following, pairs, uploads
from shared.products.upload_schemas import PreviewRequest
product_id, row = sys.argv[1], json.loads(sys.argv[2])
shown = len(pairs.matches(product_id).matches)
by = Actor("drill", "", "upload.previewed", "", "")
told = uploads.preview(PreviewRequest([row]), by)
following.follow(product_id)
print(shown, told.preview.duplicates, len(pairs.matches(product_id).matches))
"""
RETAILERS = ("cargills", "glomark", "keells")
CATEGORIES = ("milk", "rice", "tea")
SORTS = (
    "created_at",
    "-created_at",
    "updated_at",
    "-updated_at",
    "name",
    "-name",
    "price",
    "-price",
)
PRODUCTS = 60
# A list that is so much longer than what the total counts.
MANY = 1005


def goods(number: int) -> Json:
    return row(
        number,
        retailer=RETAILERS[number % 3],
        category=CATEGORIES[number // 3 % 3],
        # Few prices, so that sorting by price must break ties.
        price=f"{10 + number % 4}.50",
        brand="Anchor Dairy" if number % 2 else "Anchor Farm",
    )


@pytest.fixture(scope="module")
def filled(shop: Shop) -> Shop:
    """Sixty products, of which some were changed and three are deleted."""
    assert shop.upload(goods(number) for number in range(PRODUCTS))["inserted"] == PRODUCTS
    by_sku = {f["retailer_sku"]: pid for pid, f in shop.documents("products").items()}
    for number in range(7, 12):
        product_id = by_sku[f"S{number}"]
        found = shop.get(f"/api/products/{product_id}")
        body = {k: found[k] for k in ("name", "brand", "category", "price")} | {"size": "1kg"}
        good(shop.http.put(f"/api/products/{product_id}", json=body))
    for number in (20, 21, 22):
        good(shop.http.delete(f"/api/products/{by_sku[f'S{number}']}"))
    shop.settle()
    return shop


def walk(shop: Shop, **query: Any) -> list[Json]:
    """A whole list by cursor."""
    found: list[Json] = []
    while True:
        page = shop.get("/api/products", **query)
        found += page["products"]
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]


FILTERS: tuple[dict[str, str], ...] = (
    {},
    {"retailer": "keells"},
    {"category": "tea"},
    {"retailer": "cargills", "category": "milk"},
    {"status": "deleted"},
    {"status": "active", "retailer": "glomark"},
    {"q": "anchor"},
    {"q": "farm anchor"},
    {"q": "anch dairy", "retailer": "keells"},
)


def expected(shop: Shop, wanted: dict[str, str]) -> set[str]:
    """The ids that a filter should leave, by a look at every document."""

    def fits(fields: Json) -> bool:
        words = f"{fields['name']} {fields['brand']}".casefold().split()
        if "status" in wanted:
            if fields["status"] != wanted["status"]:
                return False
        elif fields["status"] == "deleted":
            return False
        plain = all(fields[k] == wanted[k] for k in ("retailer", "category") if k in wanted)
        asked = wanted.get("q", "").split()
        return plain and all(any(word.startswith(a) for word in words) for a in asked)

    return {pid for pid, fields in shop.documents("products").items() if fits(fields)}


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("wanted", FILTERS, ids=str)
def test_a_list_holds_each_product_once_and_in_order(
    filled: Shop, wanted: dict[str, str], sort: str
) -> None:
    found = walk(filled, sort=sort, limit=7, **wanted)
    ids = [product["id"] for product in found]
    assert len(ids) == len(set(ids))
    assert set(ids) == expected(filled, wanted)
    assert ids
    field = sort.removeprefix("-")
    keys = [product[field].casefold() if field == "name" else product[field] for product in found]
    assert keys == sorted(keys, reverse=sort.startswith("-"))
    pages = [
        filled.get("/api/products", sort=sort, limit=7, page=page, **wanted)
        for page in range(1, -(-len(ids) // 7) + 1)
    ]
    assert [p["id"] for page in pages for p in page["products"]] == ids
    if "q" not in wanted or " " not in wanted["q"]:
        assert {page["total"] for page in pages} == {len(ids)}
        assert pages[0]["pages"] == len(pages)


def test_a_page_beyond_the_end_is_empty(filled: Shop) -> None:
    page = filled.get("/api/products", page=1000)
    assert (page["products"], page["next_cursor"], page["page"]) == ([], None, 1000)
    last_by_number = filled.get("/api/products", page=51, sort="name", retailer="keells")
    assert last_by_number["products"] == []


SEARCHES = (
    {"q": "farm anchor"},
    {"q": "anch dairy", "retailer": "keells"},
    {"q": "anchor", "category": "tea"},
    {"q": "anchor", "retailer": "no-such-retailer"},
    {"q": "!!"},
)


@pytest.mark.parametrize("wanted", SEARCHES, ids=str)
def test_a_search_that_no_query_counts_tells_what_it_has_seen(
    filled: Shop, wanted: dict[str, str]
) -> None:
    found = 0 if wanted["q"] == "!!" else len(expected(filled, wanted))
    whole = filled.get("/api/products", limit=100, **wanted)
    assert (len(whole["products"]), whole["total"]) == (found, found)
    assert "total_is_minimum" not in whole
    query: dict[str, Any] = {"limit": 4, **wanted}
    for number in itertools.count(1):
        by_cursor = filled.get("/api/products", **query)
        by_number = filled.get("/api/products", limit=4, page=number, **wanted)
        for page in (by_cursor, by_number):
            more = page["next_cursor"] is not None
            assert page["total"] == min(found, number * 4) + more
            assert page.get("total_is_minimum", False) is more
        query["cursor"] = by_cursor["next_cursor"]
        if query["cursor"] is None:
            break
    assert by_cursor["total"] == found
    beyond = filled.get("/api/products", limit=4, page=100, **wanted)
    assert (beyond["products"], beyond["total"]) == ([], found)


def test_marks_that_only_add_up_are_mended_by_the_nightly_recount(filled: Shop) -> None:
    products = filled.documents("products").items()
    listed = sorted((fields["created_at"], pid) for pid, fields in products if fields["listed"])
    begins = (0, 20, 40)
    marks = filled.database.collection("statistics").document("product_pages")
    marks.set(
        {
            "micros": [0, *(epoch_micros(listed[at][0]) for at in begins[1:])],
            "ids": ["-", *(listed[at][1] for at in begins[1:])],
            "rows": [19, 21, len(listed) - 40],
        }
    )
    assert filled.call_private("recount_statistics").is_success
    filled.settle()
    assert (marks.get().to_dict() or {})["rows"] == [20, 20, len(listed) - 40]


@pytest.mark.parametrize(
    "other", [{"sort": "name"}, {"retailer": "keells"}, {"status": "active"}, {"q": "anchor"}]
)
def test_a_cursor_of_another_list_is_refused(filled: Shop, other: dict[str, str]) -> None:
    cursor = filled.get("/api/products", limit=5)["next_cursor"]
    answer = filled.http.get("/api/products", params={"cursor": cursor, **other})
    assert answer.status_code == 400


def test_a_forged_cursor_is_refused(filled: Shop) -> None:
    cursor = filled.get("/api/products", limit=5)["next_cursor"]
    for forged in (cursor[:-2], cursor[:-3] + "abc", "x" + cursor, "[]", cursor.rsplit(".", 1)[0]):
        answer = filled.http.get("/api/products", params={"cursor": forged})
        assert answer.status_code == 400, forged


@pytest.mark.parametrize(
    "query",
    [
        {"page": "1", "cursor": "x"},
        {"limit": "101"},
        {"limit": "0"},
        {"page": "0"},
        {"sort": "brand"},
        {"status": "gone"},
        {"q": "a"},
        {"colour": "red"},
        {"page": "52", "sort": "name"},
        {"page": "12", "limit": "100", "retailer": "keells"},
        {"page": "1000000", "q": "anchor"},
    ],
)
def test_a_query_that_makes_no_sense_is_refused(filled: Shop, query: dict[str, str]) -> None:
    answer = filled.http.get("/api/products", params=query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] in query


@pytest.fixture
def product(shop: Shop) -> Json:
    """A product of its own for each test."""
    number = next(NUMBERS)
    shop.upload([row(number, description="As it was", url="https://shop.example/a", size="1l")])
    found: Json = shop.get("/api/products", limit=1)["products"][0]
    assert found["retailer_sku"] == f"S{number}"
    return found


NUMBERS = itertools.count(200_000)


def test_put_replaces_what_may_be_edited_and_nothing_else(shop: Shop, product: Json) -> None:
    body = {"name": "  Cafe\u0301  ", "price": 12.5, "currency": "USD"}
    answer = shop.http.put(f"/api/products/{product['id']}", json=body)
    changed = good(answer)
    wanted = product | {
        "name": "Caf\u00e9",
        "price": 12.5,
        "currency": "USD",
        "brand": "",
        "size": "",
        "category": "",
        "version": 2,
        "updated_at": changed["updated_at"],
    }
    for optional in ("url", "description"):
        del wanted[optional]
    assert changed == wanted
    assert changed["updated_at"] > product["updated_at"]
    assert answer.headers["ETag"] == '"2"'
    assert shop.get(f"/api/products/{product['id']}") == changed


def test_put_that_changes_nothing_makes_no_version(shop: Shop, product: Json) -> None:
    names = ("name", "brand", "size", "category", "url", "description", "price", "currency")
    body = {name: product[name] for name in names}
    assert good(shop.http.put(f"/api/products/{product['id']}", json=body)) == product


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"retailer": "keells"}, "retailer"),
        ({"status": "active"}, "status"),
        ({"colour": "red"}, "colour"),
        ({"name": ""}, "name"),
        ({"price": -1}, "price"),
        ({"price": "12.345"}, "price"),
        ({"price": 12.345}, "price"),
        ({"price": 0.5, "currency": "JPY"}, "price"),
        ({"price": "dear"}, "price"),
        ({"currency": "rupees"}, "currency"),
        ({"currency": "AAA"}, "currency"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"category": "no-such-category"}, "category"),
        ({"category": "a/b"}, "category"),
    ],
)
def test_put_refuses_what_makes_no_sense(
    shop: Shop, product: Json, change: Json, field: str
) -> None:
    body = {"name": "A", "price": 1} | change
    answer = shop.http.put(f"/api/products/{product['id']}", json=body)
    assert answer.status_code == 422, answer.text
    assert [each["field"] for each in answer.json()["errors"]] == [field]
    assert shop.get(f"/api/products/{product['id']}") == product


def test_a_lost_update_is_refused(shop: Shop, product: Json) -> None:
    path = f"/api/products/{product['id']}"
    tag = shop.http.get(path).headers["ETag"]
    body = {"name": "A", "price": 1}
    mine = shop.http.put(path, json=body, headers={"If-Match": tag})
    assert (mine.status_code, mine.headers["ETag"]) == (200, '"2"')
    late = shop.http.put(path, json=body | {"name": "B"}, headers={"If-Match": tag})
    assert late.status_code == 412
    assert shop.http.delete(path, headers={"If-Match": tag}).status_code == 412
    assert shop.http.delete(path, headers={"If-Match": "nonsense"}).status_code == 412
    assert shop.get(path)["name"] == "A"
    assert shop.http.delete(path, headers={"If-Match": '"2"'}).status_code == 200


def test_a_deleted_product_is_kept_and_can_be_restored(shop: Shop, product: Json) -> None:
    path = f"/api/products/{product['id']}"
    assert good(shop.http.delete(path))["status"] == "deleted"
    again = good(shop.http.delete(path))
    assert (again["status"], again["version"]) == ("deleted", 2)
    assert shop.get(path)["status"] == "deleted"
    assert product["id"] not in [p["id"] for p in walk(shop, limit=100)]
    assert product["id"] in [p["id"] for p in walk(shop, limit=100, status="deleted")]
    assert shop.http.put(path, json={"name": "A", "price": 1}).status_code == 404
    restored = good(shop.http.post(f"{path}/restore"))
    assert restored == product | {"version": 3, "updated_at": restored["updated_at"]}
    assert good(shop.http.post(f"{path}/restore"))["version"] == 3
    assert product["id"] in [p["id"] for p in walk(shop, limit=100)]


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("GET", "/api/products/absent"),
        ("PUT", "/api/products/absent"),
        ("DELETE", "/api/products/absent"),
        ("POST", "/api/products/absent/restore"),
        ("GET", "/api/products/absent/matches"),
        ("GET", "/api/products/uploads/absent"),
        ("GET", "/api/products/exports/absent"),
        ("GET", "/api/categories/absent"),
        ("PUT", "/api/categories/absent"),
        ("DELETE", "/api/categories/absent"),
        ("POST", "/api/products/confirm"),
    ],
)
def test_what_is_absent_is_not_found(shop: Shop, verb: str, path: str) -> None:
    bodies: dict[str, Json] = {
        "/api/products/absent": {"name": "A", "price": 1},
        "/api/categories/absent": {"name": "A"},
        "/api/products/confirm": {"upload_id": "absent"},
    }
    body = bodies.get(path) if verb in ("PUT", "POST") else None
    answer = shop.http.request(verb, path, json=body)
    assert answer.status_code == 404, answer.text
    assert answer.headers["Content-Type"].startswith("application/problem+json")


def test_every_change_is_audited_with_before_and_after(shop: Shop, product: Json) -> None:
    path = f"/api/products/{product['id']}"
    good(shop.http.put(path, json={"name": "Renamed", "price": 1, "size": "1l"}))
    good(shop.http.delete(path))
    resource = f"products/{product['id']}"
    query = shop.database.collection("audit_logs").order_by("at").stream()
    entries = [each.to_dict() or {} for each in query]
    told = [e for e in entries if e["resource"] == resource]
    assert [each["action"] for each in told] == ["product.updated", "product.deleted"]
    assert (told[0]["before"]["name"], told[0]["after"]["name"]) == (product["name"], "Renamed")
    assert (told[1]["before"]["status"], told[1]["after"]["status"]) == ("active", "deleted")
    assert all(each["actor_email"] == "admin@shopple.test" for each in told)


def test_an_empty_database_gets_the_first_set_of_categories(shop: Shop) -> None:
    for category in shop.database.collection("categories").stream():
        category.reference.delete()
    shop.settle()
    shop.redis("FLUSHALL")
    found = shop.get("/api/categories")["categories"]
    assert {each["id"] for each in found} == {seed.id for seed in DEFAULT_CATEGORIES}
    paths = [[name.casefold() for name in each["path"]] for each in found]
    assert paths == sorted(paths)
    milk = next(each for each in found if each["id"] == "milk")
    assert (milk["parent_id"], milk["path"]) == ("dairy-and-eggs", ["Dairy and Eggs", "Milk"])


def create(shop: Shop, name: str, parent_id: str | None = None) -> Json:
    answer = shop.http.post("/api/categories", json={"name": name, "parent_id": parent_id})
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


def test_a_category_is_made_renamed_and_moved(shop: Shop) -> None:
    create(shop, "Garden")
    tools = create(shop, "Garden Tools", "garden")
    assert (tools["id"], tools["path"]) == ("garden-tools", ["Garden", "Garden Tools"])
    twice = shop.http.post("/api/categories", json={"name": "Garden  tools"})
    assert twice.status_code == 409
    create(shop, "Hardware")
    body = {"name": "Tools", "parent_id": "hardware"}
    answer = shop.http.put("/api/categories/garden-tools", json=body, headers={"If-Match": '"1"'})
    assert good(answer)["path"] == ["Hardware", "Tools"]
    stale = shop.http.put("/api/categories/garden-tools", json=body, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    listed = {each["id"]: each["path"] for each in shop.get("/api/categories")["categories"]}
    assert listed["garden-tools"] == ["Hardware", "Tools"]


def test_a_repeated_call_gets_the_first_answer_with_its_etag(shop: Shop) -> None:
    headers = {"Idempotency-Key": secrets.token_hex(8)}
    body = {"name": "Only Once"}
    first, again = (shop.http.post("/api/categories", json=body, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.headers["ETag"] == again.headers["ETag"] == '"1"'


def test_categories_form_no_loop_and_no_deep_tree(shop: Shop) -> None:
    parent: str | None = None
    for level in range(5):
        parent = create(shop, f"Level {level}", parent)["id"]
    for target in ("level-0", "level-4"):
        body = {"name": "Level 0", "parent_id": target}
        answer = shop.http.put("/api/categories/level-0", json=body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "parent_id"
    deep = shop.http.post("/api/categories", json={"name": "Level 5", "parent_id": "level-4"})
    absent = shop.http.post("/api/categories", json={"name": "Lost", "parent_id": "absent"})
    nameless = shop.http.post("/api/categories", json={"name": "!!"})
    assert [deep.status_code, absent.status_code, nameless.status_code] == [422, 422, 422]


def test_a_category_in_use_is_moved_and_not_deleted(shop: Shop) -> None:
    for name, parent in (("Attic", None), ("Box", "attic"), ("Cellar", None)):
        create(shop, name, parent)
    numbers = [next(NUMBERS) for _ in range(3)]
    shop.upload(row(number, category="attic") for number in numbers)
    assert shop.http.delete("/api/categories/attic").status_code == 409
    below = shop.http.delete("/api/categories/attic", params={"move_to": "box"})
    absent = shop.http.delete("/api/categories/attic", params={"move_to": "absent"})
    assert [below.status_code, absent.status_code] == [422, 422]
    told = good(shop.http.delete("/api/categories/attic", params={"move_to": "cellar"}))
    assert told["moving"] is True
    assert shop.http.get("/api/categories/attic").status_code == 404
    shop.settle()
    moved = shop.get("/api/products", category="cellar")["products"]
    assert {each["retailer_sku"] for each in moved} == {f"S{number}" for number in numbers}
    assert shop.get("/api/products", category="attic")["products"] == []
    listed = {each["id"]: each for each in shop.get("/api/categories")["categories"]}
    assert listed["box"]["path"] == ["Cellar", "Box"]
    assert listed["cellar"]["product_count"] == 3
    assert "attic" not in listed
    assert "attic" not in shop.documents("categories")


def test_an_unused_category_is_deleted_at_once(shop: Shop) -> None:
    create(shop, "Fleeting")
    assert good(shop.http.delete("/api/categories/fleeting")) == {"id": "fleeting", "moving": False}
    assert shop.http.get("/api/categories/fleeting").status_code == 404
    listed = [each["id"] for each in shop.get("/api/categories")["categories"]]
    assert "fleeting" not in listed


def test_an_upload_may_name_categories_as_people_write_them(shop: Shop) -> None:
    first, second = next(NUMBERS), next(NUMBERS)
    shop.upload([row(first, category="Dips/Spreads & More")])
    shop.upload([row(second, category="dips spreads MORE"), row(next(NUMBERS), category="!!")])
    found = shop.get("/api/products", category="dips-spreads-more")["products"]
    assert {each["retailer_sku"] for each in found} == {f"S{first}", f"S{second}"}
    assert shop.get("/api/categories/dips-spreads-more")["path"] == ["Dips spreads more"]


def test_an_upload_id_that_is_none_is_refused(shop: Shop) -> None:
    for wrong in ("a/b", "..", ""):
        answer = shop.http.post("/api/products/confirm", json={"upload_id": wrong})
        assert answer.status_code == 422, answer.text


ROWS = (
    ("Product Name", "Price", "Shop", "Shade"),
    ("Basmati Rice", "Rs. 1,250.00", "Keells", "white"),
    ("", "10", "Keells", ""),
    ("Red Lentils", "cheap", "Keells", ""),
    ("Coconut Oil", "900", "", ""),
)


def as_csv() -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(ROWS)
    return text.getvalue().encode("utf-8-sig")


def as_xlsx() -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for record in ROWS:
        sheet.append(record)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


@pytest.mark.parametrize(("name", "content"), [("a.csv", as_csv()), ("a.xlsx", as_xlsx())])
def test_a_file_is_previewed_with_its_bad_rows(shop: Shop, name: str, content: bytes) -> None:
    preview = good(shop.http.post("/api/products/preview", files={"file": (name, content)}))[
        "preview"
    ]
    counts = (preview["total"], preview["new"], preview["duplicates"], preview["invalid"])
    assert counts == (4, 1, 0, 3)
    told = [(error["row"], error["field"]) for error in preview["errors"]]
    assert told == [(2, "name"), (3, "price"), (4, "retailer")]
    assert preview["ignored"] == ["Shade"]


def test_a_file_may_name_its_retailer_beside_it(shop: Shop) -> None:
    files = {"file": ("a.csv", b"name,price\nJaggery,5\n")}
    for fields, invalid in (({}, 1), ({"retailer": "Arpico"}, 0)):
        answer = shop.http.post("/api/products/preview", files=files, data=fields)
        assert good(answer)["preview"]["invalid"] == invalid


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"", 400), (b"colour\nred\n", 400), (b"PK\x03\x04broken", 400), (b"name,price\n", 400)],
)
def test_a_file_that_is_no_table_is_refused(shop: Shop, content: bytes, status: int) -> None:
    answer = shop.http.post("/api/products/preview", files={"file": ("a.csv", content)})
    assert answer.status_code == status


def test_an_uploaded_offer_is_matched_with_another_retailers(shop: Shop) -> None:
    offer = {"name": "Highland Fresh Milk", "brand": "Highland", "size": "1l", "price": "480"}
    shop.upload([offer | {"retailer": "keells"}])
    shop.upload([offer | {"retailer": "glomark", "price": "495", "name": "Highland Milk Fresh"}])
    shop.settle()
    first, second = shop.get("/api/products", q="highland", sort="created_at")["products"]
    for one, other in ((first, second), (second, first)):
        matches = shop.get(f"/api/products/{one['id']}/matches")["matches"]
        assert [match["product"]["id"] for match in matches] == [other["id"]]
        assert 0 < matches[0]["confidence"] <= 100
        assert {piece["field"] for piece in matches[0]["evidence"]} >= {"name", "size", "brand"}
        partners = shop.documents("match_states")[one["id"]]["partners"]
        assert partners == {other["id"]: matches[0]["confidence"]}


def test_the_settings_say_how_sure_the_same_product_is(shop: Shop) -> None:
    offer = {"name": "Kotmale Set Yoghurt", "brand": "Kotmale", "size": "80g", "price": "90"}
    shop.upload([offer | {"retailer": "keells"}])
    shop.upload([offer | {"retailer": "glomark", "name": "Kotmale Yoghurt"}])
    shop.settle()
    first, second = shop.get("/api/products", q="kotmale")["products"]
    settings = shop.database.document("configuration/settings")
    pair = shop.database.document(f"match_pairs/{'_'.join(sorted((first['id'], second['id'])))}")
    known = pair.get().to_dict()
    told = []
    try:
        for lowest in (40, 99, 40):
            thresholds = {"duplicate_confidence": lowest}
            now = datetime.now(UTC)
            settings.set({"thresholds": thresholds, "version": 1, "updated_at": now})
            # Of one retailer, another spelling is weak evidence, however low the setting is.
            again = json.dumps(offer | {"retailer": "keells", "name": "Kotmale Set Yogurt"})
            told.append(shop.run(JUDGE, first["id"], again).split())
            assert pair.get().exists is (lowest == 40)
    finally:
        settings.delete()
    assert told == [["1", "0", "1"], ["0", "0", "0"], ["0", "0", "1"]]
    assert pair.get().to_dict() == known


def test_the_surest_of_many_matches_are_shown(shop: Shop) -> None:
    first, *numbers = (next(NUMBERS) for _ in range(26))
    shop.upload(row(number, retailer="many") for number in (first, *numbers))
    shop.settle()
    by_sku = {f["retailer_sku"]: pid for pid, f in shop.documents("products").items()}
    one = by_sku[f"S{first}"]
    others = sorted(by_sku[f"S{number}"] for number in numbers)
    # The surest stand last by id.
    partners = {other: 70 + at for at, other in enumerate(others)}
    for other, confidence in partners.items():
        both = sorted((one, other))
        pair = {"products": both, "confidence": confidence, "evidence": []}
        shop.database.document(f"match_pairs/{'_'.join(both)}").set(pair)
    shop.database.document(f"match_states/{one}").set({"partners": partners}, merge=True)
    matches = shop.get(f"/api/products/{one}/matches")["matches"]
    assert [match["product"]["id"] for match in matches] == others[:-21:-1]


def test_the_same_offer_again_is_a_duplicate_before_any_background_work(shop: Shop) -> None:
    shop.stack.control.disturb_events(drop=True)
    offer = row(next(NUMBERS))
    shop.upload([offer])
    preview = shop.preview([offer, offer | {"price": "9999"}])
    shop.stack.control.reset_events()
    assert (preview["new"], preview["duplicates"]) == (0, 2)
    assert [each["confidence"] for each in preview["duplicate_details"]] == [100, 100]


def test_a_repeated_call_under_one_key_is_done_once(shop: Shop) -> None:
    upload_id = shop.preview([row(next(NUMBERS))])["upload_id"]
    headers = {"Idempotency-Key": f"confirm-{upload_id}"}
    body: Json = {"upload_id": upload_id}

    def confirm(sent: Json) -> httpx.Response:
        return shop.http.post("/api/products/confirm", json=sent, headers=headers)

    first, again = confirm(body), confirm(body)
    assert (good(first), first.headers.get("Idempotency-Replayed")) == (good(again), None)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert confirm(body | {"accept": "all"}).status_code == 422


def test_an_export_under_one_key_is_begun_once(shop: Shop) -> None:
    before = len(shop.documents("exports"))
    headers = {"Idempotency-Key": "export-once"}
    sent = [shop.http.post("/api/products/export", json={}, headers=headers) for _ in range(2)]
    assert sent[0].json() == sent[1].json()
    assert [answer.status_code for answer in sent] == [202, 202]
    assert len(shop.documents("exports")) == before + 1


def exported(shop: Shop, **wanted: str) -> tuple[Json, str]:
    """A finished export and its file."""
    answer = shop.http.post("/api/products/export", json=wanted)
    assert answer.status_code == 202, answer.text
    path = f"/api/products/exports/{answer.json()['export_id']}"

    def completed() -> Json | None:
        told = shop.get(path)
        return told if told["status"] == "completed" else None

    told = eventually(completed, timeout_seconds=WORK_SECONDS)
    file = httpx.get(told["url"], trust_env=False)
    assert file.headers["Content-Type"].startswith("text/csv")
    return told, file.content.decode()


def test_an_export_holds_the_filtered_catalogue_and_no_formula(shop: Shop) -> None:
    bad = '=HYPERLINK("http://evil.example","a"), "b"'
    shop.upload(
        [
            row(next(NUMBERS), retailer="laugfs", name=bad, price="1234.50", description="x\ny"),
            row(next(NUMBERS), retailer="laugfs", brand="+1", size="@2", price="0.05"),
        ]
    )
    told, text = exported(shop, retailer="laugfs")
    assert text.startswith("\ufeffid,name,")
    assert text.endswith("\r\n")
    records = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert len(records) == told["rows"] == 2
    by_price = {Decimal(record["price"]): record for record in records}
    assert by_price[Decimal("1234.50")]["name"] == f"'{bad}"
    assert by_price[Decimal("1234.50")]["description"] == "x\ny"
    assert [by_price[Decimal("0.05")][field] for field in ("brand", "size")] == ["'+1", "'@2"]
    assert {record["retailer"] for record in records} == {"laugfs"}


def test_an_export_of_everything_holds_what_the_lists_hold(shop: Shop) -> None:
    _, text = exported(shop)
    records = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    listed = [product["id"] for product in walk(shop, limit=100, sort="created_at")]
    assert [record["id"] for record in records] == listed


def test_a_filtered_total_stops_at_a_thousand_and_says_so(shop: Shop) -> None:
    shop.stack.control.disturb_events(drop=True)
    shop.upload(row(300_000 + number, retailer="bulk", brand="Bulky") for number in range(MANY))
    shop.stack.control.wait_until_idle()
    shop.stack.control.reset_events()
    for query in ({"retailer": "bulk"}, {"q": "bulky"}):
        page = shop.get("/api/products", limit=100, **query)
        assert (page["total"], page["total_is_minimum"], page["pages"]) == (1000, True, 10)
    assert "total_is_minimum" not in shop.get("/api/products", retailer="laugfs")
    assert len(walk(shop, limit=100, retailer="bulk")) == MANY
