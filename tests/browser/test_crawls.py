"""Crawls in the console: started and watched live, scheduled, and what came of them."""

import gzip
import json
import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.sync_api import Page, expect

from local.shop.truth import recipe, truth
from local.stack import Stack
from tests.browser.judging import Json, NewPage, broken_in_both_schemes, good, new_word, settled

CATEGORY = "chocolate"
CRAWL_MS = 90_000
# Every sentence about a crawl's progress that the screen has shown.
REMEMBER_PROGRESS = """() => {
  window.told = [];
  const look = () => document.querySelectorAll('.crawl .progress p').forEach((p) => {
    if (window.told.at(-1) !== p.textContent) window.told.push(p.textContent);
  });
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
}"""


@pytest.fixture(scope="module")
def retailer(stack: Stack, http: httpx.Client) -> str:
    """A retailer of this test's own, whose site is the local shop."""
    site: Json = recipe(stack.plan.shop_url, delay_seconds=0.15, backoff_seconds=0.1)
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


@pytest.fixture(scope="module")
def doubted(stack: Stack, http: httpx.Client, retailer: str) -> list[Json]:
    """Two products of the shop, which in the catalogue cost a fiftieth of what they do there."""
    rows = [
        {name: row[name] for name in ("name", "size", "brand", "url")}
        | {"price": row["price_minor"] // 50 / 100, "retailer": retailer, "category": CATEGORY}
        for row in truth(stack.plan.shop_url, CATEGORY)[:2]
    ]
    told = good(http.post("/api/products/confirm", json={"products": rows}))
    assert told["inserted"] == len(rows)
    return rows


def test_a_crawl_is_watched_live_and_what_it_finds_is_decided(
    new_page: NewPage, console_url: str, stack: Stack, retailer: str, doubted: list[Json]
) -> None:
    page = new_page()
    sockets: list[str] = []
    asked: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{console_url}/#/crawls")
    expect(page.locator(".link-state")).to_have_text("Live")
    page.evaluate(REMEMBER_PROGRESS)
    title = f"{retailer.replace('-', ' ').title()}, {CATEGORY.title()}"
    start(page, retailer, CATEGORY)
    going = page.get_by_role("listitem").filter(has_text=title)
    expect(going.get_by_role("button", name=f"Stop {title}")).to_be_focused()
    ended = page.get_by_role("table", name="Crawls that ended lately")
    row = ended.get_by_role("row").filter(has_text=title)
    expect(row).to_contain_text("Completed", timeout=CRAWL_MS)
    expect(row.get_by_role("cell").nth(2)).to_have_text("42")
    expect(going).to_have_count(0)
    moved(page.evaluate("window.told"))
    # Only the socket brought it: the list was asked for once, before the crawl.
    assert len([url for url in asked if "/api/crawler/jobs" in url]) == 1
    assert len(sockets) == 1
    assert "?" not in sockets[0]

    start(page, retailer, CATEGORY)
    dialog = page.get_by_role("dialog", name="Start a crawl")
    expect(dialog.get_by_role("alert")).to_contain_text("crawled less than")
    page.keyboard.press("Escape")

    page.get_by_role("link", name="Results").last.click()
    expect(page.get_by_role("heading", name="Crawl results")).to_be_visible()
    result = page.get_by_role("row").filter(has_text=title)
    expect(result).to_contain_text("40 new", timeout=CRAWL_MS)
    expect(result).to_contain_text("2 quarantined")
    download = result.get_by_role("link", name=re.compile("^Download")).get_attribute("href")
    rows = gzip.decompress(page.request.get(download or "").body()).splitlines()
    found = {json.loads(each)["url"] for each in rows}
    assert found == {each["url"] for each in truth(stack.plan.shop_url, CATEGORY)}
    decide(page, doubted)

    page.goto(f"{console_url}/#/results")
    result.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(result).to_have_count(0)


def moved(told: list[str]) -> None:
    """Whether pages, rate and the time that is left moved while somebody looked on."""
    pages = [int(each) for each in figures(r"^(\d+) (?:of|pages? so far)", told)]
    assert pages == sorted(pages)
    assert len(set(pages)) >= 3, told
    assert len(set(figures(r", ([\d.]+) a second", told))) >= 2, told
    assert len(set(figures(r"about (.+) left", told))) >= 2, told


def figures(pattern: str, told: list[str]) -> list[str]:
    return [found[1] for text in told if (found := re.search(pattern, text))]


def decide(page: Page, doubted: list[Json]) -> None:
    """Stands for the price of the first product, and not for that of the second."""
    page.get_by_role("link", name="Quarantined prices").last.click()
    first, second = (page.get_by_role("row").filter(has_text=each["name"]) for each in doubted)
    shown = f"LKR {doubted[0]['price'] * 50:,.2f}"
    expect(first).to_contain_text(shown)
    expect(first).to_contain_text(f"before LKR {doubted[0]['price']:,.2f}, +4900.0 %")
    expect(first).to_contain_text("times the usual")
    broken = broken_in_both_schemes(page)
    first.get_by_role("button", name="Release").click()
    expect(first).to_have_count(0)
    second.get_by_role("button", name="Discard").click()
    expect(second).to_have_count(0)
    page.get_by_label("Show").select_option("discarded")
    expect(second).to_contain_text("Discarded")
    expect(first).to_have_count(0)
    page.get_by_label("Show").select_option("released")
    first.get_by_role("link", name=doubted[0]["name"]).click()

    expect(page.get_by_role("heading", level=1, name=doubted[0]["name"])).to_be_visible()
    settled(page)
    page.get_by_text("Prices as a table").click()
    newest = page.get_by_role("table", name="Prices, newest first").get_by_role("row").nth(1)
    expect(newest).to_contain_text(f"Crawler{shown}")
    assert broken == []


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
    due = next_sunday(3, "Asia/Colombo")
    # In the reader's own time.
    expect(row).to_contain_text(f"{due.astimezone(ZoneInfo('Europe/London')):, %H:%M}")
    told = row.locator("time").first.get_attribute("datetime") or ""
    assert datetime.fromisoformat(told) == due
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

    row.get_by_role("button", name=f"Edit {name}").click()
    dialog.get_by_label("Runs", exact=True).select_option("once")
    dialog.get_by_label("Date and time").fill(f"{due:%Y-%m-%d}T06:30")
    dialog.get_by_role("button", name="Save").click()
    expect(row).to_contain_text(f"Once, {due:%Y-%m-%d} at 06:30")
    # Half past six in Colombo.
    expect(row.locator("time").first).to_have_attribute("datetime", re.compile("T01:00:00"))

    row.get_by_role("button", name=f"Pause {name}").press("Enter")
    expect(row).to_contain_text("Paused")
    expect(row.get_by_role("button", name=f"Resume {name}")).to_be_focused()
    row.get_by_role("button", name=f"Delete {name}").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)


def test_all_of_it_is_accessible(
    new_page: NewPage, console_url: str, retailer: str, http: httpx.Client
) -> None:
    schedule = {"name": "Read", "retailer": retailer, "category": "tea", "type": "daily"}
    schedule |= {"time": "03:00", "timezone": "Asia/Colombo"}
    good(http.post("/api/crawler/schedules", json=schedule))
    page = new_page(reduced_motion="reduce")
    broken = []
    for path, opener in (("crawls", "Start a crawl"), ("schedules", "Edit Read"), ("results", "")):
        page.goto(f"{console_url}/#/{path}")
        settled(page)
        broken += broken_in_both_schemes(page)
        if opener:
            page.get_by_role("button", name=opener).first.click()
            expect(page.get_by_role("dialog")).to_be_visible()
            broken += broken_in_both_schemes(page)
    assert broken == []


def next_sunday(hour: int, zone: str) -> datetime:
    now = datetime.now(ZoneInfo(zone))
    at = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    at += timedelta(days=6 - now.weekday())
    return at if at > now else at + timedelta(days=7)
