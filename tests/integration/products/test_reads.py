"""What requests cost, by the meter of the local cloud: Firestore bills each document read."""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from local.stack import Stack
from shared.products.models import Product, to_document
from tests.integration.products.support import (
    FAR_FUTURE,
    QUEUE,
    READS,
    REDIS_CALLS,
    WRITES,
    Json,
    Shop,
    good,
    row,
    signed_in,
    word,
)
from tests.polling import eventually
from tests.stacks import running_stack

BATCH = 400
PARALLEL = 2
# The emulator scans all 20,000 for each figure, and other tests run beside these.
COUNT_SECONDS = 540
START = datetime(2026, 1, 1, tzinfo=UTC)
CATEGORIES = ("milk", "rice", "tea", "soap")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One of their own, without triggers: to hear of 20,000 products would take many minutes."""
    with running_stack(tmp_path_factory.mktemp("reads"), triggers=False) as running:
        yield running


def fill(shop: Shop, first: int, end: int) -> None:
    """Products number `first` to before `end`."""

    def write(at: int) -> None:
        batch = shop.database.batch()
        for number in range(at, min(end, at + BATCH)):
            document = shop.database.collection("products").document(secrets.token_hex(10))
            batch.set(document, to_document(product(document.id, number)))
        batch.commit()

    with ThreadPoolExecutor(PARALLEL) as pool:
        list(pool.map(write, range(first, end, BATCH)))


def product(product_id: str, number: int) -> Product:
    moment = START + timedelta(seconds=number)
    return Product(
        id=product_id,
        name=f"{word(number)} {number}",
        # The emulator sorts all that a search finds before it answers with a page.
        brand="Common" if number < 1000 else "Plain",
        size="",
        category=CATEGORIES[number % len(CATEGORIES)],
        retailer="keells" if number % 2 else "cargills",
        retailer_sku=None,
        url=None,
        image=None,
        description=None,
        price_minor=1000 + number,
        currency="LKR",
        status="active",
        version=1,
        created_at=moment,
        updated_at=moment,
    )


class Catalogue:
    """A catalogue of some size, and the cost of asking it."""

    def __init__(self, shop: Shop, size: int) -> None:
        self.shop = shop
        self.size = size

    def cost(self, path: str, **query: object) -> int:
        """The reads of a request that no cache answers, by a session whose copy is in Redis."""
        self.shop.renew_copy()
        self.shop.redis("DEL", "products:generation")
        answer = self.ask(path, **query)
        assert answer.headers["X-Cache"] == "MISS"
        return int(answer.headers[READS])

    def ask(self, path: str, **query: object) -> httpx.Response:
        answer = self.shop.http.get(path, params={k: str(v) for k, v in query.items()})
        good(answer)
        return answer


@pytest.fixture(scope="module", params=[2000, 20_000])
def catalogue(shop: Shop, request: pytest.FixtureRequest) -> Catalogue:
    size = int(request.param)
    known = len(shop.database.collection("products").select(["version"]).get())
    for slug in ("keells", "cargills"):
        shop.database.collection("retailers").document(slug).set({"slug": slug})
    fill(shop, known, size)
    shop.database.collection("statistics").document("touched").set({"everything": True})
    # A recount that was still due is refused for the other's sake: Cloud Tasks repeats it too.
    eventually(lambda: recounted(shop), timeout_seconds=COUNT_SECONDS)
    made = Catalogue(shop, size)
    assert made.ask("/api/products/stats").json()["total"] == size
    return made


def recounted(shop: Shop) -> bool:
    due = {"due_at": FAR_FUTURE}
    return shop.call_private("refresh_statistics", due, timeout_seconds=COUNT_SECONDS).is_success


def test_statistics_cost_the_same_at_any_size(catalogue: Catalogue) -> None:
    assert catalogue.cost("/api/products/stats") <= 2


def test_a_page_by_cursor_costs_its_rows(catalogue: Catalogue) -> None:
    """At the top, at page 50 and at the end: the rows, and one document for the total."""
    last = catalogue.size // 20
    for number in (2, 50, last):
        cursor = catalogue.ask("/api/products", page=number - 1, limit=20).json()["next_cursor"]
        assert catalogue.cost("/api/products", cursor=cursor, limit=20) <= 21
        page = catalogue.ask("/api/products", cursor=cursor, limit=20).json()
        numbers = [int(each["name"].split()[-1]) for each in page["products"]]
        newest = catalogue.size - 1 - (number - 1) * 20
        assert numbers == list(range(newest, newest - 20, -1))


@pytest.mark.parametrize("filters", [{"retailer": "keells"}, {"category": "tea"}, {"sort": "name"}])
def test_a_filtered_page_costs_its_rows(catalogue: Catalogue, filters: dict[str, object]) -> None:
    first = catalogue.cost("/api/products", limit=20, **filters)
    cursor = catalogue.ask("/api/products", limit=20, **filters).json()["next_cursor"]
    assert max(first, catalogue.cost("/api/products", limit=20, cursor=cursor, **filters)) <= 21


def test_a_page_by_number_is_bounded_at_any_depth(
    catalogue: Catalogue,
) -> None:
    pages = [number for number in (1, 2, 50, 100, 500, 900) if number * 20 <= catalogue.size]
    costs = {number: catalogue.cost("/api/products", page=number) for number in pages}
    print(f"{catalogue.size} products: reads of page by number {costs}")  # noqa: T201
    assert max(costs.values()) <= 150


def test_pages_by_number_are_the_pages_by_cursor(catalogue: Catalogue) -> None:
    wanted = catalogue.size - 100 * 15
    page = catalogue.ask("/api/products", page=wanted // 100 + 1, limit=100).json()
    numbers = [int(each["name"].split()[-1]) for each in page["products"]]
    newest = catalogue.size - 1 - wanted // 100 * 100
    assert numbers == list(range(newest, newest - 100, -1))


def test_a_search_costs_its_rows(catalogue: Catalogue) -> None:
    # Each product of this brand fits: a page of it and its total are all that is read.
    assert catalogue.cost("/api/products", q="common", limit=20) <= 21
    # No product has both words: the search gives up after so many rows, and its cursor goes on.
    assert catalogue.cost("/api/products", q="common absent", limit=20) <= 201


def test_a_hit_costs_no_reads(catalogue: Catalogue) -> None:
    catalogue.shop.renew_copy()
    for path in ("/api/products", "/api/products/stats", "/api/products?retailer=keells"):
        catalogue.ask(path)
        answer = catalogue.ask(path)
        assert answer.headers["X-Cache"] == "HIT"
        assert answer.headers[READS] == "0"
        assert int(answer.headers[REDIS_CALLS]) <= 2


def test_a_preview_costs_five_reads_a_row(catalogue: Catalogue) -> None:
    rows = [row(900_000 + number, brand="Common", category="tea") for number in range(100)]
    catalogue.shop.renew_copy()
    answer = catalogue.shop.http.post("/api/products/preview", json={"products": rows})
    assert good(answer)["preview"]["total"] == 100
    reads = int(answer.headers[READS])
    print(f"{catalogue.size} products: {reads} reads to preview 100 rows")  # noqa: T201
    assert reads <= 5 * 100 + SETTINGS


# Read for all rows together, by an instance whose copy is old.
SETTINGS = 1


def unshared(first: int, count: int) -> list[Json]:
    """Rows that share neither brand nor words, so that each has posting lists of its own."""
    return [row(first + number) for number in range(count)]


@pytest.mark.parametrize("count", [1, 2, 100, 400])
def test_rows_without_a_shared_brand_cost_five_reads_each(catalogue: Catalogue, count: int) -> None:
    rows = unshared(1_000_000 + 1000 * count + catalogue.size, count)
    catalogue.shop.renew_copy()
    answer = catalogue.shop.http.post("/api/products/preview", json={"products": rows})
    assert good(answer)["preview"]["new"] == count
    assert int(answer.headers[READS]) <= 5 * count + SETTINGS


@pytest.mark.parametrize("count", [1, 100])
def test_rows_whose_products_were_deleted_cost_five_reads_each(
    catalogue: Catalogue, count: int
) -> None:
    shop, rows = catalogue.shop, unshared(2_000_000 + 1000 * count + catalogue.size, count)
    assert shop.upload(rows)["inserted"] == count
    batch = shop.database.batch()
    # Those that were uploaded, and no others, have an identity.
    for identity in shop.documents("product_identities").values():
        batch.delete(shop.database.collection("products").document(identity["product_id"]))
    batch.commit()
    shop.renew_copy()
    answer = shop.http.post("/api/products/preview", json={"products": rows})
    assert good(answer)["preview"]["new"] == count
    assert int(answer.headers[READS]) <= 5 * count + SETTINGS


def test_a_preview_in_the_background_costs_five_reads_a_row(catalogue: Catalogue) -> None:
    shop, rows = catalogue.shop, unshared(3_000_000 + catalogue.size, 1001)
    shop.run(QUEUE, "pause", "uploads")
    try:
        told = good(shop.http.post("/api/products/preview", json={"products": rows}))
        who = {"uid": "test", "email": "", "address": "", "request_id": ""}
        answer = shop.call_private("preview_upload", {"upload_id": told["upload_id"], **who})
    finally:
        shop.run(QUEUE, "resume", "uploads")
    assert shop.followed(told["upload_id"], "previewed")["preview"]["new"] == 1001
    assert int(answer.headers[READS]) <= 5 * 1001 + SETTINGS


def test_a_change_costs_a_handful(catalogue: Catalogue) -> None:
    found = catalogue.ask("/api/products", limit=1).json()["products"][0]
    body = {name: found[name] for name in ("name", "price", "brand")} | {
        "size": secrets.token_hex(4)
    }
    # A session that has grown old meanwhile would be renewed, which is a write of its own.
    with signed_in(catalogue.shop.stack) as http:
        http.get("/api/admin/session").raise_for_status()
        answer = http.put(f"/api/products/{found['id']}", json=body)
    good(answer)
    assert int(answer.headers[READS]) == 1
    # The product, the debt, the audit entry, and which category must be counted anew.
    assert int(answer.headers[WRITES]) <= 4
