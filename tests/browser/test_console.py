"""The console as its users meet it, in a real browser."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, expect

from local.stack import Stack
from tests.browser.judging import NewPage, broken_in_both_schemes, new_word, settled

SCREENS = {
    "/#/products": "Catalogue",
    "/#/upload": "Upload",
    "/#/categories": "Categories",
    "/#/prices": "Prices",
    "/#/approvals": "Approvals",
    "/#/duplicates": "Duplicates",
    "/#/alerts": "Price alerts",
    "/#/users": "Users",
    "/#/insights": "Insights",
    "/#/requests": "Requests",
    "/#/notes": "Notes",
    "/#/settings": "Settings",
    "/#/status": "System status",
    "/#/audit": "Audit log",
}
# Judged with something in them, in the tests of their own.
JUDGED_FILLED = {
    f"/#/{name}"
    for name in ("approvals", "duplicates", "alerts", "users", "insights", "notes", "requests")
}
SEARCHES = 10
LONG_WORK_MS = 120_000
ATTACK = "<img src=x onerror=\"document.title='owned'\">"


def sign_in(page: Page, url: str, label: str) -> None:
    page.goto(url)
    page.get_by_role("button", name=label).click()
    expect(page.get_by_role("heading", name="Catalogue", level=1)).to_be_visible()


@pytest.fixture(scope="module")
def signed_in(browser: Browser, console_url: str) -> Any:
    """One sign-in for most tests: signing in is limited to five a minute."""
    context = browser.new_context()
    sign_in(context.new_page(), console_url, "Sign in as demo super admin")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture(scope="module")
def cookies(signed_in: Any) -> list[Any]:
    """As a sign-in on the screen has left them."""
    left: list[Any] = signed_in["cookies"]
    return left


def upload(page: Page, url: str, rows: list[str]) -> None:
    content = "\n".join(["name,brand,size,price,retailer", *rows])
    page.goto(f"{url}/#/upload")
    file: Any = {"name": "list.csv", "mimeType": "text/csv", "buffer": content.encode()}
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("heading", name=re.compile("rows? read"))).to_be_visible(
        timeout=LONG_WORK_MS
    )


def confirm(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Confirm")).click()
    expect(page.get_by_role("heading", name="The upload is stored")).to_be_visible()


def find(page: Page, url: str, word: str) -> None:
    """Searches until the row is there: what is searched is kept up in the background."""
    page.goto(f"{url}/#/products")
    page.get_by_role("searchbox", name="Search").fill(word)
    row = page.get_by_role("row").filter(has_text=word)
    for _ in range(SEARCHES):
        try:
            expect(row).to_have_count(1, timeout=3000)
        except AssertionError:
            page.get_by_role("button", name="Refresh").click()
        else:
            return
    expect(row).to_have_count(1)


def open_product(page: Page, url: str, name: str) -> None:
    word = name.rsplit(maxsplit=1)[-1]
    find(page, url, word)
    page.get_by_role("row").filter(has_text=word).get_by_role("link").click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value(name)


@pytest.fixture(scope="module")
def goods(browser: Browser, signed_in: Any, console_url: str) -> dict[str, str]:
    """Products for the tests, in one upload: uploads are limited to ten a minute."""
    names = {kind: f"{kind} {new_word()} {new_word()}" for kind in ("Curd", "Tea", "Soap", ATTACK)}
    cells = {kind: '"' + name.replace('"', '""') + '"' for kind, name in names.items()}
    context = browser.new_context(storage_state=signed_in)
    page = context.new_page()
    upload(
        page,
        console_url,
        [
            f"{cells['Curd']},Kotmale,1 kg,450.00,keells",
            f"{cells['Tea']},Dilmah,400 g,1150.00,cargills",
            f"{cells['Soap']},Vim,100 g,95.00,glomark",
            f"{cells[ATTACK]},Ritzbury,50 g,2300.00,arpico",
        ],
    )
    confirm(page)
    context.close()
    return names


def test_demo_button_signs_in(browser: Browser, console_url: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    sign_in(page, console_url, "Sign in as demo admin")
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    for name in ("Audit log", "Settings", "Users"):
        expect(page.get_by_role("link", name=name)).to_have_count(0)
    context.close()


def test_upload_is_previewed_and_stored(new_page: NewPage, console_url: str) -> None:
    page, good, bad = new_page(), new_word(), new_word()
    upload(
        page,
        console_url,
        [f"Basmati {good},Acme,1 kg,450.00,keells", f"Cups {bad},Other,12,no price,keells"],
    )
    expect(page.get_by_role("region", name="Rows with errors")).to_contain_text("price")
    confirm(page)
    added = page.locator(".figure").filter(has_text="Added")
    expect(added.locator(".big")).to_have_text("1")
    find(page, console_url, good)
    expect(page.get_by_role("row").filter(has_text=good)).to_contain_text("450.00")


@pytest.fixture
def without_events(stack: Stack) -> Iterator[None]:
    """Loses all events, so that nothing matches a thousand products beside the next tests."""
    stack.control.disturb_events(drop=True)
    yield
    # The emulator tells one after the other, so most are still to come.
    stack.control.wait_until_idle(LONG_WORK_MS / 1000)
    stack.control.reset_events()


@pytest.mark.usefixtures("without_events")
def test_large_upload_is_followed_and_survives_a_reload(
    new_page: NewPage, console_url: str
) -> None:
    page = new_page()
    rows = [f"{new_word()} {new_word()},{new_word()},1 kg,{n}.00,keells" for n in range(1, 1102)]
    upload(page, console_url, rows)
    expect(page.get_by_role("heading", name="1,101 rows read")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="1,101 rows read")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Confirm")).click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_role("heading", name="The upload is stored")).to_be_visible(
        timeout=LONG_WORK_MS
    )


def test_product_is_edited_with_errors_at_their_fields(
    new_page: NewPage, console_url: str, goods: dict[str, str]
) -> None:
    page = new_page()
    open_product(page, console_url, goods["Curd"])
    price = page.get_by_label("Price", exact=True)
    price.fill("cheap")
    page.get_by_role("button", name="Save changes").click()
    expect(price).to_have_attribute("aria-invalid", "true")
    expect(price).to_be_focused()
    price.fill("515.50")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_text("Changes saved.")).to_be_visible()
    expect(page.locator(".hero-price")).to_contain_text("515.50")


def test_conflict_shows_both_versions_and_keeps_the_edits(
    new_page: NewPage, console_url: str, goods: dict[str, str]
) -> None:
    mine, theirs = new_page(), new_page()
    open_product(mine, console_url, goods["Tea"])
    theirs.goto(mine.url)
    theirs.get_by_label("Price", exact=True).fill("1175.00")
    theirs.get_by_role("button", name="Save changes").click()
    expect(theirs.get_by_text("Changes saved.")).to_be_visible()

    mine.get_by_label("Brand", exact=True).fill("Mlesna")
    mine.get_by_role("button", name="Save changes").click()
    expect(mine.get_by_text("Someone else changed this product meanwhile")).to_be_visible()
    table = mine.get_by_role("table", name="Your edits beside the stored product")
    expect(table).to_contain_text("1175.00")
    expect(table).to_contain_text("Mlesna")
    expect(mine.get_by_label("Brand", exact=True)).to_have_value("Mlesna")

    mine.get_by_role("button", name="Reload the stored product").click()
    expect(mine.get_by_label("Price", exact=True)).to_have_value("1175.00")
    expect(mine.get_by_label("Brand", exact=True)).to_have_value("Dilmah")


def test_conflict_keeps_the_edits_of_both(
    new_page: NewPage, console_url: str, goods: dict[str, str]
) -> None:
    mine, theirs = new_page(), new_page()
    open_product(mine, console_url, goods["Curd"])
    theirs.goto(mine.url)
    theirs.get_by_label("Size", exact=True).fill("950 g")
    theirs.get_by_role("button", name="Save changes").click()
    expect(theirs.get_by_text("Changes saved.")).to_be_visible()

    mine.get_by_label("Brand", exact=True).fill("Highland")
    mine.get_by_role("button", name="Save changes").click()
    mine.get_by_role("button", name="Keep my edits and save").click()
    expect(mine.get_by_text("Changes saved.")).to_be_visible()
    expect(mine.get_by_label("Brand", exact=True)).to_have_value("Highland")
    expect(mine.get_by_label("Size", exact=True)).to_have_value("950 g")


def test_signing_out_in_one_tab_signs_out_the_other(browser: Browser, console_url: str) -> None:
    context = browser.new_context()
    first, second = context.new_page(), context.new_page()
    sign_in(first, console_url, "Sign in as demo admin")
    second.goto(f"{console_url}/#/categories")
    expect(second.get_by_role("heading", name="Categories", level=1)).to_be_visible()
    first.get_by_role("button", name="Sign out").click()
    for page in (first, second):
        expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    expect(second).to_have_url(f"{console_url}/#/categories")
    context.close()


def test_an_ended_session_leads_to_signing_in_and_keeps_the_route(
    new_page: NewPage, console_url: str
) -> None:
    page = new_page()
    page.goto(f"{console_url}/#/upload")
    expect(page.get_by_role("heading", name="Upload", level=1)).to_be_visible()
    page.context.clear_cookies()
    page.get_by_role("link", name="Categories", exact=True).click()
    expect(page.get_by_text("Your session has ended.")).to_be_visible()
    expect(page).to_have_url(f"{console_url}/#/categories")


def test_deleted_product_can_be_restored(
    new_page: NewPage, console_url: str, goods: dict[str, str]
) -> None:
    page = new_page()
    open_product(page, console_url, goods["Soap"])
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("This product is deleted")).to_be_visible()
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value(goods["Soap"])


def test_categories_are_added_renamed_and_deleted(new_page: NewPage, console_url: str) -> None:
    page, name, other = new_page(), new_word(), new_word()
    page.goto(f"{console_url}/#/categories")
    page.get_by_role("button", name="Add category").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_role("button", name="Add").click()
    page.get_by_role("button", name=f"Rename or move {name}").click()
    dialog.get_by_label("Name").fill(other)
    dialog.get_by_role("button", name="Save").click()
    page.get_by_role("button", name=f"Delete {other}").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Category deleted.")).to_be_visible()
    expect(page.get_by_role("button", name=f"Delete {other}")).to_have_count(0)


def test_selection_is_exported(new_page: NewPage, console_url: str) -> None:
    page = new_page()
    page.goto(f"{console_url}/#/products")
    page.get_by_role("button", name="Export").click()
    page.get_by_role("button", name="Create the file").click()
    link = page.get_by_role("link", name="Download CSV")
    expect(link).to_be_visible(timeout=LONG_WORK_MS)
    expect(link).to_be_focused()


def test_an_error_is_shown_with_a_way_to_try_again(new_page: NewPage, console_url: str) -> None:
    page = new_page()
    problem = {"title": "Unavailable", "status": 503, "detail": "The database is resting."}
    page.route(
        "**/api/categories",
        lambda route: route.fulfill(
            status=503, json=problem, content_type="application/problem+json"
        ),
    )
    page.goto(f"{console_url}/#/categories")
    expect(page.get_by_role("alert")).to_contain_text("The database is resting.")
    page.unroute("**/api/categories")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("list", name="Categories")).to_be_visible()


def test_a_retried_upload_is_the_same_request(new_page: NewPage, console_url: str) -> None:
    page = new_page()
    seen: list[tuple[str, bytes]] = []

    def refuse(route: Route) -> None:
        request = route.request
        seen.append((request.headers["idempotency-key"], request.post_data_buffer or b""))
        route.fulfill(status=503, json={"title": "Unavailable", "status": 503})

    page.route("**/api/products/preview", refuse)
    page.goto(f"{console_url}/#/upload")
    file: Any = {"name": "list.csv", "mimeType": "text/csv", "buffer": b"name,price\nTea,1\n"}
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Check the file").click()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert len(seen) == 2
    assert seen[0] == seen[1]


def test_markup_in_data_is_text(new_page: NewPage, console_url: str, goods: dict[str, str]) -> None:
    page = new_page()
    open_product(page, console_url, goods[ATTACK])
    expect(page.locator("img[src=x]")).to_have_count(0)
    expect(page).to_have_title(f"{goods[ATTACK]} · Shopple Admin")


def test_no_screen_writes_to_the_browser_console(new_page: NewPage, console_url: str) -> None:
    page = new_page()
    said: list[str] = []

    def keep(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            said.append(f"{page.url}: {message.text}")

    page.on("console", keep)
    page.on("pageerror", lambda error: said.append(f"{page.url}: {error}"))
    for path, title in SCREENS.items():
        page.goto(console_url + path)
        expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
        settled(page)
        expect(page.get_by_role("alert")).to_have_count(0)
    page.goto(f"{console_url}/#/products")
    page.locator("tbody").get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Facts")).to_be_visible()
    settled(page)
    page.goto(f"{console_url}/docs")
    expect(page.locator(".op").first).to_be_visible()
    assert said == []


def test_every_screen_is_accessible(new_page: NewPage, console_url: str) -> None:
    page, broken = new_page(reduced_motion="reduce"), []
    for path in (each for each in SCREENS if each not in JUDGED_FILLED):
        page.goto(console_url + path)
        expect(page.get_by_role("heading", name=SCREENS[path], level=1)).to_be_visible()
        settled(page)
        broken += broken_in_both_schemes(page)
    page.goto(f"{console_url}/#/products")
    page.locator("tbody").get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Facts")).to_be_visible()
    settled(page)
    broken += broken_in_both_schemes(page)
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    broken += broken_in_both_schemes(page)
    page.goto(f"{console_url}/docs")
    page.locator(".op summary").first.click()
    broken += broken_in_both_schemes(page)
    assert broken == []


def test_signing_in_is_accessible(browser: Browser, console_url: str) -> None:
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(console_url)
    expect(page.get_by_role("button", name="Sign in as demo admin")).to_be_visible()
    assert broken_in_both_schemes(page) == []
    context.close()


def test_theme_choice_is_kept(new_page: NewPage, console_url: str) -> None:
    page = new_page(color_scheme="light")
    page.goto(console_url)
    page.get_by_role("button", name="Theme: system").click()
    page.reload()
    expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"


def test_narrow_screens_do_not_scroll_sideways(new_page: NewPage, console_url: str) -> None:
    page, widths = new_page(viewport={"width": 360, "height": 740}), {}
    for path, title in SCREENS.items():
        page.goto(console_url + path)
        expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
        settled(page)
        widths[path] = page.evaluate("document.documentElement.scrollWidth")
    assert widths == dict.fromkeys(SCREENS, 360)


def test_skip_link_leads_to_the_content(new_page: NewPage, console_url: str) -> None:
    page = new_page()
    page.goto(f"{console_url}/#/upload")
    expect(page.get_by_role("heading", name="Upload", level=1)).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    expect(page).to_have_url(f"{console_url}/#/upload")


def test_a_new_screen_is_told_and_focused(new_page: NewPage, console_url: str) -> None:
    page = new_page()
    page.goto(console_url)
    expect(page.get_by_role("heading", name="Catalogue", level=1)).to_be_visible()
    page.get_by_role("link", name="Categories", exact=True).click()
    heading = page.get_by_role("heading", name="Categories", level=1)
    expect(heading).to_be_focused()
    expect(page.locator("#announcer")).to_have_text("Categories")
