"""The screens around the catalogue: prices, pictures, requests, notes and settings."""

import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from local.stack import Stack
from shared.clock import epoch_micros, utc_now
from shared.edge import cache
from shared.prices import analytics
from tests.browser.judging import (
    WORK_SECONDS,
    Json,
    NewPage,
    broken_in_both_schemes,
    good,
    listed,
    new_word,
    settled,
)
from tests.integration.edge.instance import instance
from tests.polling import eventually

CONFIG = "/system/config"


@pytest.fixture(scope="module")
def goods(http: httpx.Client) -> Json:
    """A product whose price rose from week to week, and by a third in the last."""
    last = new_word()
    name = f"Saffron {new_word()} {last}"
    row = {"name": name, "brand": "Acme", "size": "5 g", "price": "480.00", "retailer": "keells"}
    good(http.post("/api/products/confirm", json={"products": [row]}))
    product = listed(http, last)
    now = datetime.now(UTC)
    prices = [
        {
            "product_id": product["id"],
            "price": 480 if week == 0 else 300 + 5 * (12 - week),
            "retailer": "keells",
            "timestamp": (now - timedelta(weeks=week)).isoformat(),
            "source": "crawler",
            "confirmed": True,
        }
        for week in range(12, -1, -1)
    ]
    told = good(http.post("/api/prices/upload", json={"prices": prices}))
    assert told["rejected"] == told["quarantined"] == 0, told
    return product


def open_product(page: Page, url: str, goods: Json) -> None:
    page.goto(f"{url}/#/products/{goods['id']}")
    expect(page.get_by_role("heading", level=1, name=goods["name"])).to_be_visible()
    settled(page)


def card(page: Page, name: str) -> Locator:
    return page.locator(".card").filter(has=page.get_by_role("heading", name=name, exact=True))


def test_prices_are_drawn_said_and_listed(new_page: NewPage, console_url: str, goods: Json) -> None:
    page = new_page()
    open_product(page, console_url, goods)
    history = card(page, "Price history")
    expect(history.get_by_role("img")).to_have_accessible_name(
        re.compile(r"^Prices over the last 3 months: between LKR 300\.00 and 480\.00, median")
    )
    expect(history.locator(".trend")).to_contain_text("Rising")
    expect(history.locator(".figure").filter(has_text="Highest")).to_contain_text("480.00")
    history.get_by_text("Prices as a table").click()
    table = history.get_by_role("table", name="Prices, newest first")
    expect(table.get_by_role("row").nth(1)).to_contain_text("LKR 480.00")

    history.get_by_role("radio", name="1 month").check()
    expect(history.get_by_role("img")).to_have_accessible_name(re.compile("over the last month"))


def test_prices_are_read_by_keyboard(new_page: NewPage, console_url: str, goods: Json) -> None:
    page = new_page()
    open_product(page, console_url, goods)
    reader = page.get_by_role("slider", name="Read prices by date")
    reader.focus()
    expect(reader).to_have_attribute("aria-valuetext", re.compile(r"Keells LKR 480\.00$"))
    page.keyboard.press("ArrowLeft")
    expect(reader).to_have_attribute("aria-valuetext", re.compile(r"Keells LKR 355\.00$"))
    expect(page.locator(".plot-tip")).to_contain_text("LKR 355.00")
    page.keyboard.press("Home")
    expect(reader).to_have_attribute("aria-valuetext", re.compile(r"Keells LKR 300\.00$"))
    page.keyboard.press("Escape")
    expect(page.locator(".plot-tip")).to_be_hidden()


def test_a_picture_is_added_and_removed(new_page: NewPage, console_url: str, goods: Json) -> None:
    page = new_page()
    open_product(page, console_url, goods)
    brand = page.get_by_label("Brand", exact=True)
    brand.fill("Unsaved")
    page.get_by_role("button", name="Add a picture").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Add").click()
    expect(dialog.get_by_label("Or an address")).to_have_attribute("aria-invalid", "true")

    drawn = io.BytesIO()
    Image.new("RGB", (640, 480), "#3a7").save(drawn, "PNG")
    file: Any = {"name": "box.png", "mimeType": "image/png", "buffer": drawn.getvalue()}
    dialog.get_by_label("File").set_input_files(file)
    expect(dialog.get_by_role("img", name="Preview of box.png")).to_be_visible()
    dialog.get_by_role("button", name="Add").click()
    shown = card(page, "Picture").locator("img")
    expect(shown).to_be_visible()
    assert eventually(lambda: shown.evaluate("image => image.naturalWidth")) == 480

    # What was being edited stands on the new version, so that it can be saved.
    expect(brand).to_have_value("Unsaved")
    page.get_by_role("button", name="Discard changes").click()
    card(page, "Picture").get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_role("button", name="Add a picture")).to_be_visible()


def test_the_dashboard_leads_to_what_moved(
    new_page: NewPage, console_url: str, goods: Json, http: httpx.Client
) -> None:
    def computed() -> bool:
        answer = http.get("/api/prices/analytics")
        moved = answer.json()["movers"]["up"] if answer.is_success else []
        return any(each["product_id"] == goods["id"] for each in moved)

    eventually(computed, timeout_seconds=WORK_SECONDS)
    page = new_page()
    page.goto(f"{console_url}/#/prices")
    expect(page.get_by_role("list", name="Coverage by retailer")).to_contain_text("Keells")
    page.get_by_role("table", name="Products that became dearer").get_by_role(
        "link", name=goods["name"]
    ).click()
    expect(page.get_by_role("heading", level=1, name=goods["name"])).to_be_visible()


def test_the_dashboard_without_prices_says_so(
    new_page: NewPage, console_url: str, stack: Stack
) -> None:
    page = new_page()
    # Nothing computes the figures anew meanwhile.
    stack.control.wait_until_idle(WORK_SECONDS)
    with instance(stack.environment()):
        analytics._document().delete()
        cache.bump("prices", epoch_micros(utc_now()))
        page.goto(f"{console_url}/#/prices")
        expect(page.get_by_text("No prices yet")).to_be_visible()
        analytics.refresh()


def test_what_is_misspelt_is_found(new_page: NewPage, console_url: str, goods: Json) -> None:
    page = new_page()
    exact = goods["name"].split()[-1]
    page.goto(f"{console_url}/#/products?q=saffrron+{exact}")
    expect(page.get_by_text("These come closest")).to_be_visible()
    expect(page.get_by_role("table", name="Closest products")).to_contain_text(goods["name"])


def test_a_request_is_answered(new_page: NewPage, console_url: str, http: httpx.Client) -> None:
    name = f"Oat {new_word()}"
    good(http.post("/api/product-requests", json={"name": name, "brand": "Oatly"}))
    page = new_page()
    page.goto(f"{console_url}/#/requests?status=open&sort=-created_at")
    row = page.get_by_role("row").filter(has_text=name)
    expect(row).to_contain_text("Open")
    row.get_by_role("button").click()
    dialog = page.get_by_role("dialog")

    listed = good(http.get("/api/product-requests", params={"limit": 100}))["requests"]
    path = next(f"/api/product-requests/{each['id']}" for each in listed if each["name"] == name)
    good(http.put(path, json={"status": "planned", "note": "Soon."}))
    dialog.get_by_label("Status").select_option("done")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("now planned with the note “Soon.”")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The request is saved.")).to_be_visible()
    expect(row).to_have_count(0)

    page.get_by_label("Status").select_option("done")
    expect(row).to_contain_text("Done")


def test_notes_are_written_found_changed_and_deleted(new_page: NewPage, console_url: str) -> None:
    page, name, tag = new_page(), new_word(), new_word()
    page.goto(f"{console_url}/#/notes")
    page.get_by_role("button", name="New note").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Add").click()
    expect(dialog.get_by_label("Title")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Title").fill(f"About {name}")
    dialog.get_by_label("Text").fill("First line\nSecond line")
    dialog.get_by_label("Tags").fill(f"{tag}, Second")
    dialog.get_by_role("radio", name="green").check(force=True)
    dialog.get_by_role("button", name="Add").click()
    note = page.locator(".paper").filter(has_text=name)
    expect(note).to_contain_text("Second line")
    expect(note).to_have_class(re.compile("green"))

    note.get_by_role("button", name="Pin").click()
    expect(note.get_by_role("button", name="Pin")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name=tag).click()
    expect(page.locator(".paper")).to_have_count(1)
    page.get_by_role("searchbox", name="Search").fill("nowhere")
    expect(page.get_by_text("No note holds that")).to_be_visible()
    page.get_by_role("searchbox", name="Search").fill(name)
    note.get_by_role("button", name="Edit").click()
    dialog.get_by_label("Title").fill(f"More about {name}")
    dialog.get_by_role("button", name="Save").click()
    expect(note.get_by_role("heading")).to_have_text(f"More about {name}")
    note.get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Note deleted.")).to_be_visible()
    expect(note).to_have_count(0)


def settings(page: Page, url: str) -> Locator:
    page.goto(f"{url}/#/settings")
    days = page.get_by_label("Results (days)")
    expect(days).to_be_visible()
    return days


def test_settings_are_changed_with_errors_at_their_fields(
    new_page: NewPage, console_url: str, http: httpx.Client
) -> None:
    page = new_page()
    days = settings(page, console_url)
    before = int(days.input_value())
    days.fill("0")
    page.get_by_role("button", name="Save settings").click()
    expect(days).to_have_attribute("aria-invalid", "true")
    expect(days).to_be_focused()
    days.fill(str(before + 1))
    retailers = page.get_by_label("Retailers", exact=True)
    retailers.fill("Keells Super")
    page.get_by_role("button", name="Save settings").click()
    # Only the server knows how retailers are written.
    expect(retailers).to_have_attribute("aria-invalid", "true")
    retailers.fill("keells")
    later = page.get_by_role("button", name="Ask Groq later")
    later.focus()
    page.keyboard.press("Enter")
    expect(later).to_be_focused()
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_text("The settings are saved.")).to_be_visible()
    told = good(http.get(CONFIG))
    assert told["retention_days"]["results"] == before + 1
    assert told["provider_order"].index("groq") == 1

    page.goto(f"{console_url}/#/audit?action=configuration.updated")
    page.locator(".log summary").first.click()
    expect(page.get_by_role("table", name="Changed fields").first).to_contain_text("retention_days")


def test_a_conflict_of_settings_is_explained(
    new_page: NewPage, console_url: str, http: httpx.Client
) -> None:
    page = new_page()
    days = settings(page, console_url)
    stored = good(http.get(CONFIG))
    theirs = {key: stored[key] for key in stored if key not in ("version", "updated_at")}
    theirs["thresholds"]["review_confidence"] ^= 1
    good(http.put(CONFIG, json=theirs))
    days.fill("11")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_text("Someone else changed the settings meanwhile")).to_be_visible()
    table = page.get_by_role("table", name="Your settings beside those in force")
    expect(table.get_by_role("row").filter(has_text="Results")).to_contain_text("11")
    expect(table.get_by_role("row").filter(has_text="Ask a person")).to_contain_text("not edited")
    page.get_by_role("button", name="Keep mine and save").click()
    expect(page.get_by_text("The settings are saved.")).to_be_visible()
    now = good(http.get(CONFIG))
    assert now["retention_days"]["results"] == 11
    assert now["thresholds"] == theirs["thresholds"]


def test_filled_screens_and_dialogs_are_accessible(
    new_page: NewPage, console_url: str, goods: Json, http: httpx.Client
) -> None:
    good(http.post("/api/notes", json={"title": "Pinned", "tags": ["a"], "colour": "red"}))
    good(http.post("/api/product-requests", json={"name": f"Rye {new_word()}"}))
    page = new_page(reduced_motion="reduce")
    open_product(page, console_url, goods)
    page.get_by_text("Prices as a table").click()
    broken = broken_in_both_schemes(page)
    page.get_by_role("button", name="Add a picture").click()
    broken += broken_in_both_schemes(page)
    page.keyboard.press("Escape")
    for path, opener in (("notes", "Edit Pinned"), ("requests", "Answer"), ("prices", "")):
        page.goto(f"{console_url}/#/{path}")
        expect(page.locator("h1")).to_have_text(path.capitalize())
        settled(page)
        broken += broken_in_both_schemes(page)
        if opener:
            page.get_by_role("button", name=opener).first.click()
            broken += broken_in_both_schemes(page)
    assert broken == []
