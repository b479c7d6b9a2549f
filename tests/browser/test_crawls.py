"""Crawls in the console: started and watched live, scheduled, and what came of them."""

import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import Page, expect

from local.shop.truth import recipe
from local.stack import Stack
from shared.crawling.ingestion import quarantine
from shared.crawling.ingestion.offers import Found
from shared.products.upload_rows import UploadRow
from tests.browser.judging import Json, NewPage, broken_in_both_schemes, good, new_word, settled
from tests.integration.edge.instance import instance

CATEGORY = "juices-and-cordials"
CRAWL_MS = 90_000


@pytest.fixture(scope="module")
def retailer(stack: Stack, http: httpx.Client) -> str:
    """A retailer of this test's own, whose site is the local shop."""
    site: Json = recipe(stack.plan.shop_url, delay_seconds=0.05, backoff_seconds=0.1)
    name = f"shop-{new_word()}"
    del site["retailer"], site["version"]
    good(http.put(f"/api/crawler/retailers/{name}", json=site))
    return name


def start(page: Page, retailer: str, category: str, *, force: bool = False) -> None:
    page.get_by_role("button", name="Start a crawl").first.click()
    dialog = page.get_by_role("dialog", name="Start a crawl")
    dialog.get_by_label("Retailer").select_option(retailer)
    dialog.get_by_label("Category").select_option(category)
    if force:
        dialog.get_by_label("Although it was crawled lately").check()
    dialog.get_by_role("button", name="Start").click()


def test_a_crawl_is_started_watched_live_and_leaves_a_result(
    new_page: NewPage, console_url: str, retailer: str
) -> None:
    page = new_page()
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    page.goto(f"{console_url}/#/crawls")
    expect(page.locator(".link-state")).to_have_text("Live")
    # An answer of the API would also show it: only the socket may bring what follows.
    page.route("**/api/crawler/jobs*", lambda route: route.abort())
    start(page, retailer, CATEGORY)
    title = f"{retailer.replace('-', ' ').title()}, Juices And Cordials"
    going = page.get_by_role("listitem").filter(has_text=title)
    expect(going.get_by_role("button", name=f"Stop {title}")).to_be_focused()
    ended = page.get_by_role("table", name="Crawls that ended lately")
    row = ended.get_by_role("row").filter(has_text=title)
    expect(row).to_contain_text("Completed", timeout=CRAWL_MS)
    expect(row.get_by_role("cell").nth(2)).to_have_text(re.compile(r"^[1-9]\d*$"))
    expect(going).to_have_count(0)
    assert len(sockets) == 1
    assert "?" not in sockets[0]

    start(page, retailer, CATEGORY)
    dialog = page.get_by_role("dialog", name="Start a crawl")
    expect(dialog.get_by_role("alert")).to_contain_text("crawled less than")
    page.keyboard.press("Escape")

    page.get_by_role("link", name="Results").last.click()
    expect(page.get_by_role("heading", name="Crawl results")).to_be_visible()
    result = page.get_by_role("row").filter(has_text=title)
    expect(result).to_contain_text("Completed")
    download = result.get_by_role("link", name=re.compile("^Download"))
    expect(download).to_be_visible(timeout=CRAWL_MS)
    assert page.request.get(download.get_attribute("href") or "").ok
    remove = result.get_by_role("button", name="Delete")
    # By itself, once the rows are taken in.
    expect(remove).to_be_enabled(timeout=CRAWL_MS)
    remove.click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(result).to_have_count(0)


def test_a_crawl_is_stopped(new_page: NewPage, console_url: str, retailer: str) -> None:
    page = new_page()
    page.goto(f"{console_url}/#/crawls")
    settled(page)
    start(page, retailer, "biscuits")
    going = page.get_by_role("listitem").filter(has_text="Biscuits")
    going.get_by_role("button", name="Stop").click()
    row = page.get_by_role("row").filter(has_text="Biscuits")
    expect(row).to_contain_text("Stopped", timeout=CRAWL_MS)


def test_schedules_are_made_changed_paused_and_deleted(
    new_page: NewPage, console_url: str, retailer: str
) -> None:
    page, name = new_page(timezone_id="Europe/London"), f"Nightly {new_word()}"
    page.goto(f"{console_url}/#/schedules")
    settled(page)
    page.get_by_role("button", name="New schedule").click()
    dialog = page.get_by_role("dialog", name="New schedule")
    dialog.get_by_label("Name", exact=True).fill(name)
    dialog.get_by_label("Retailer").select_option(retailer)
    dialog.get_by_label("Runs", exact=True).select_option("weekly")
    dialog.get_by_label("Day", exact=True).select_option("Sunday")
    expect(dialog.get_by_label("Time zone")).to_have_value("Europe/London")
    dialog.get_by_label("Time zone").fill("Mars/Base")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_label("Time zone")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Time zone").fill("Asia/Colombo")
    dialog.get_by_role("button", name="Create").click()
    row = page.get_by_role("row").filter(has_text=name)
    expect(row).to_contain_text("Every Sunday at 03:00")
    expect(row).to_contain_text(re.compile(r"in \d days|tomorrow|in \d+ hours"))
    expect(row).to_contain_text("Never")

    row.get_by_role("button", name=f"Edit {name}").click()
    dialog = page.get_by_role("dialog", name="Change the schedule")
    dialog.get_by_label("Runs", exact=True).select_option("interval")
    dialog.get_by_label("Hours between").fill("1")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_label("Hours between")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Hours between").fill("6")
    dialog.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("Every 6 hours")

    row.get_by_role("button", name=f"Pause {name}").press("Enter")
    expect(row).to_contain_text("Paused")
    expect(row.get_by_role("button", name=f"Resume {name}")).to_be_focused()
    row.get_by_role("button", name=f"Delete {name}").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)


def test_quarantined_prices_are_decided_and_all_of_it_is_accessible(
    new_page: NewPage, console_url: str, stack: Stack, retailer: str, http: httpx.Client
) -> None:
    names = [f"Saffron {new_word()}" for _ in range(2)]
    store_quarantined(stack, retailer, names)
    schedule = {"name": "Read", "retailer": retailer, "category": "tea", "type": "daily"}
    schedule |= {"time": "03:00", "timezone": "Asia/Colombo"}
    good(http.post("/api/crawler/schedules", json=schedule))
    page = new_page(reduced_motion="reduce")
    page.goto(f"{console_url}/#/quarantine")
    first, second = (page.get_by_role("row").filter(has_text=name) for name in names)
    expect(first).to_contain_text("LKR 4,500.00")
    broken = broken_in_both_schemes(page)
    first.get_by_role("button", name="Discard").click()
    expect(first).to_have_count(0)
    expect(second).to_have_count(1)
    page.get_by_label("Show").select_option("discarded")
    expect(first).to_contain_text("Discarded")

    for path, opener in (("crawls", "Start a crawl"), ("schedules", "Edit Read"), ("results", "")):
        page.goto(f"{console_url}/#/{path}")
        settled(page)
        broken += broken_in_both_schemes(page)
        if opener:
            page.get_by_role("button", name=opener).first.click()
            expect(page.get_by_role("dialog")).to_be_visible()
            broken += broken_in_both_schemes(page)
    assert broken == []


def store_quarantined(stack: Stack, retailer: str, names: list[str]) -> None:
    """What ingestion keeps apart, each ten times dearer than nothing that is known."""
    now = datetime.now(UTC) - timedelta(minutes=1)
    job_id = new_word()
    with instance(stack.environment()):
        for number, name in enumerate(names, 1):
            offer = UploadRow(
                row=number,
                name=name,
                brand="",
                size="5 g",
                category="tea",
                retailer=retailer,
                retailer_sku=None,
                url="https://shop.example/saffron",
                image=None,
                description=None,
                price_minor=450_000,
                currency="LKR",
            )
            entry = quarantine.kept(
                Found(number, offer),
                job_id=job_id,
                seen_at=now,
                product=None,
                reason="far above its history",
                now=now,
            )
            quarantine.reference(entry.id).create(quarantine.to_document(entry))
