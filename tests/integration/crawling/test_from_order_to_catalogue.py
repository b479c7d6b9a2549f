"""The whole way: a crawl is ordered and watched, and its products and prices are in the API."""

from itertools import pairwise
from typing import Any

import httpx
import pytest

from crawler_pod import browser_packages, browser_program
from local.shop.assortment import EACH
from local.shop.server import PAGE
from local.shop.truth import truth
from tests.integration.crawling import cloud
from tests.integration.crawling.sockets import heard, opened_with, subscribe, ticket_of
from tests.integration.products.support import Json, Shop, good
from tests.polling import eventually
from tests.sessions import SUPER_ADMIN, log_in, new_client

# The test shop's own name: whose products they are follows from it.
RETAILER, KEY, CATEGORY = "Corner Shop", "corner-shop", "biscuits"
# The last list page of a department that scripts draw: what stands before it differs in nothing.
DRAWN = "ice-cream"
FORBIDDEN = ("/private/", "/latest/", "/computeM")
# Where crawl4ai is set up, and a browser that it can use: make test sees to both.
BROWSES = not browser_packages.missing() and browser_program.found() is not None
DRAWN_PAGES = [f"/c/{DRAWN}?page=3"] if BROWSES else []
# A browser begins, and draws each page; a busy machine takes its time.
END_SECONDS = 180


def test_a_crawl_is_watched_to_its_end_and_its_products_and_prices_are_in_the_api(
    shop: Shop,
) -> None:
    shop.stack.control.empty_sink()
    origin = shop.stack.plan.shop_url
    seen_again = truth(origin, CATEGORY)
    wanted = seen_again + (drawn(origin) if BROWSES else [])
    with httpx.Client(base_url=origin, trust_env=False) as site:
        asked = len(site.get("/__/log").json())
        first = watched(shop, ordered(shop, [f"/c/{CATEGORY}", *DRAWN_PAGES], delay_seconds=0.1))
        assert first["products_found"] == len(wanted)
        log = site.get("/__/log").json()[asked:]
    assert not [path for path in log if path.startswith(FORBIDDEN)]
    assert {row["url"].removeprefix(origin) for row in wanted} <= set(log)

    result = taken_in(shop, first["job_id"])
    told = [result[name] for name in ("status", "ingestion", "rows", "new", "failed")]
    assert told == ["completed", "done", len(wanted), len(wanted), 0]
    (message,) = messages(shop)
    counts = f"{len(wanted)} new, 0 changed, 0 unchanged, 0 quarantined, 0 failed."
    assert counts in message

    ids = approved(shop)
    assert products(shop) == {row["url"]: as_product(row) for row in wanted}
    # From the next crawl on what was approved has prices, each seen at its own moment.
    shop.stack.control.empty_sink()
    again = taken_in(shop, ordered(shop, [f"/c/{CATEGORY}"], delay_seconds=0))
    assert [again["unchanged"], again["new"], again["changed"]] == [len(seen_again), 0, 0]
    shop.settle()
    prices = {row["url"]: [(row["price_minor"] / 100, row["currency"])] for row in seen_again}
    assert {url: points(shop, ids[url]) for url in prices} == prices
    (message,) = messages(shop)
    assert f"0 new, 0 changed, {len(seen_again)} unchanged" in message
    shop.stack.control.empty_sink()
    if not BROWSES:
        pytest.skip("all but the pages that scripts draw: crawl4ai or Chromium is not set up")


def drawn(origin: str) -> list[Json]:
    """What stands on the last page of the department that scripts draw."""
    rows = sorted(truth(origin, DRAWN), key=lambda row: str(row["sku"]))
    return rows[EACH // PAGE * PAGE :]


def ordered(shop: Shop, pages: list[str], **limits: Any) -> str:
    """The crawl of a department from these lists on."""
    origin = shop.stack.plan.shop_url
    starts = {CATEGORY: [f"{origin}{page}" for page in pages]}
    with new_client(shop.stack, log_in(shop.stack, SUPER_ADMIN)) as http:
        cloud.put_recipe(http, RETAILER, origin, starts=starts, **limits)
    return cloud.start(shop.http, RETAILER, CATEGORY)


def watched(shop: Shop, job_id: str) -> Json:
    """The crawl's last word over the WebSocket, after words that were true to its course."""
    told: list[Json] = []
    with opened_with(ticket_of(shop.http)) as opened:
        subscribe(opened, [job_id])
        while not told or told[-1]["finished_at"] is None:
            told.append(heard(opened, END_SECONDS))
    last = told[-1]
    assert {each["job_id"] for each in told} == {job_id}
    assert (last["status"], last["progress"], last["attempt"]) == ("completed", 100, 1), last
    assert last["pages_done"] == last["pages_total"]
    check_progress([each for each in told if each["status"] == "running"], last)
    return last


def check_progress(told: list[Json], last: Json) -> None:
    for before, after in pairwise([*told, last]):
        assert before["version"] < after["version"]
        for figure in ("pages_done", "products_found"):
            assert before[figure] <= after[figure]
    figures = {each["pages_done"]: each for each in told if each["pages_done"]}
    # At most one a second; who listens may be given fewer.
    assert 1 < len(figures) <= last["duration_seconds"]
    for each in figures.values():
        assert each["pages_done"] <= each["pages_total"] <= last["pages_total"]
        assert each["pages_per_second"] > 0
        # As long as lists are unread nobody knows how much is left.
        assert (each["progress"] is None) == (each["seconds_left"] is None)
    known = [each for each in figures.values() if each["progress"] is not None]
    assert known
    for each in known:
        left = (each["pages_total"] - each["pages_done"]) / each["pages_per_second"]
        assert abs(each["seconds_left"] - left) <= 0.1 + 0.01 * left
        assert each["progress"] == min(100 * each["pages_done"] // each["pages_total"], 99)


def taken_in(shop: Shop, job_id: str) -> Json:
    """The result once its rows are taken in and Slack was told."""

    def look() -> Json | None:
        results = shop.get("/api/crawler/results")["results"]
        own: list[Json] = [each for each in results if each["job_id"] == job_id]
        told = own and own[0]["ingestion"] == "done" and messages(shop)
        return own[0] if told else None

    return eventually(look, timeout_seconds=END_SECONDS)


def messages(shop: Shop) -> list[str]:
    """What Slack was told of this shop: ends of other crawls may be told late."""
    told = [str(each["text"]) for each in shop.stack.control.taken()]
    return [text for text in told if f"*{RETAILER}," in text]


def approved(shop: Shop) -> dict[str, str]:
    """The ids of what was found, by page, once an admin has approved all of it."""
    pending = shop.get("/api/products/pending", limit=100)["pending"]
    ids = [each["id"] for each in pending]
    good(shop.http.post("/api/products/pending/approve", json={"ids": ids}))
    listed = shop.get("/api/products", retailer=KEY, limit=100)["products"]
    return {each["url"]: each["id"] for each in listed}


def products(shop: Shop) -> dict[str, tuple[Any, ...]]:
    listed = shop.get("/api/products", retailer=KEY, limit=100)["products"]
    return {p["url"]: (p["name"], p["price"], p["currency"], p["size"]) for p in listed}


def as_product(row: Json) -> tuple[Any, ...]:
    return (row["name"], row["price_minor"] / 100, row["currency"], row["size"] or "")


def points(shop: Shop, product_id: str) -> list[tuple[float, str]]:
    told = shop.get(f"/api/prices/history/{product_id}")["points"]
    return [(each["price"], each["currency"]) for each in told]
