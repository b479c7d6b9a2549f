"""Duplicates: compared, decided, merged and taken back, by keyboard."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from local.stack import Stack
from scheduler import cloud_queues
from tests.browser.judging import (
    WORK_SECONDS,
    Json,
    NewPage,
    broken_in_both_schemes,
    good,
    new_word,
    settled,
)
from tests.integration.edge.instance import instance
from tests.polling import eventually

DUPLICATES = "/api/products/duplicates"


class Goods:
    """Products that several shops of this test alone sell, by name."""

    def __init__(self) -> None:
        self.shops = [f"shop-{new_word()}" for _ in range(3)]
        kinds = ("pair", "trio", "merged", "left")
        self.names = {kind: f"{new_word()} {new_word()}" for kind in kinds}

    def rows(self) -> list[Json]:
        """A row for each offer; the second shop adds a word to every name."""
        common = {"brand": "Acme", "size": "400 g", "category": "biscuits"}
        return [
            {"name": name + (" Tin" if at == 1 else ""), "price": 500 + at, "retailer": shop}
            | common
            for kind, name in self.names.items()
            for at, shop in enumerate(self.shops)
            if at < 2 or kind in ("trio", "left")
        ]


@pytest.fixture(scope="module")
def goods(http: httpx.Client) -> Goods:
    goods = Goods()
    good(http.post("/api/products/confirm", json={"products": goods.rows()}))

    def matched() -> bool:
        groups = listed(http, goods)
        return sorted(len(group["products"]) for group in groups) == [2, 2, 3, 3]

    eventually(matched, timeout_seconds=WORK_SECONDS)
    return goods


def listed(http: httpx.Client, goods: Goods) -> list[Json]:
    answer = http.get(DUPLICATES, params={"retailer": goods.shops[0]})
    groups: list[Json] = answer.json()["groups"] if answer.is_success else []
    return groups


def group(page: Page, url: str, goods: Goods, kind: str) -> Locator:
    """Opens the group in its queue: the entry there."""
    page.goto(f"{url}/#/duplicates?retailer={goods.shops[0]}")
    entry = page.locator(".queue-entry").filter(has_text=goods.names[kind])
    entry.click()
    expect(page.locator(".stage h2")).to_contain_text(goods.names[kind])
    return entry


def test_offers_stand_side_by_side_with_evidence_that_adds_up(
    new_page: NewPage, console_url: str, goods: Goods
) -> None:
    page = new_page()
    group(page, console_url, goods, "pair")
    table = page.get_by_role("table", name="Offers side by side")
    expect(table.locator("mark")).to_have_text("Tin")
    expect(table.get_by_role("row").filter(has_text="Price")).to_contain_text("+0.2 %")
    start, *weights, total = page.locator(".weighing b").all_inner_texts()
    assert start == "50"
    reached = 50 + sum(float(weight.replace("\N{MINUS SIGN}", "-")) for weight in weights)
    assert float(total.removesuffix(" %")) == pytest.approx(min(100, reached), abs=1)


def test_a_queue_is_decided_by_keyboard_and_undone(
    new_page: NewPage, console_url: str, goods: Goods, http: httpx.Client
) -> None:
    page = new_page()
    entry = group(page, console_url, goods, "pair")
    others = page.locator(".queue-entry")
    before, heading = others.count(), page.locator(".stage h2")
    for key in ("j", "k", "j") if others.last.get_attribute("aria-current") is None else ("k", "j"):
        page.keyboard.press(key)
        expect(heading).to_be_focused()
    group(page, console_url, goods, "pair")
    for key, word in (("s", "same"), ("d", "different")):
        page.keyboard.press(key)
        expect(entry).to_have_count(0)
        expect(page.get_by_role("button", name=f"Undo: {word}")).to_be_visible()
        assert goods.names["pair"] not in str(listed(http, goods))
        page.keyboard.press("u")
        expect(entry).to_have_attribute("aria-current", "true")
        expect(heading).to_be_focused()
        assert goods.names["pair"] in str(listed(http, goods))
    # What another has said meanwhile stands in the way until it is overruled.
    (pair,) = (each for each in listed(http, goods) if goods.names["pair"] in str(each))
    said = {"same": [product["id"] for product in pair["products"]], "different": []}
    good(http.post(f"{DUPLICATES}/decide", json=said))
    page.keyboard.press("d")
    expect(page.get_by_role("alert")).to_contain_text("were said to be the same")
    page.keyboard.press("o")
    expect(others).to_have_count(before - 1)
    page.reload()
    expect(others).to_have_count(before - 1)


def test_some_of_a_group_are_the_same_and_one_is_not(
    new_page: NewPage, console_url: str, goods: Goods, http: httpx.Client
) -> None:
    page = new_page()
    entry = group(page, console_url, goods, "trio")
    (trio,) = (each for each in listed(http, goods) if goods.names["trio"] in str(each))
    page.keyboard.press("3")
    expect(page.locator(".deciding")).to_contain_text("Are 1 and 2 the same product, and 3 not?")
    page.keyboard.press("s")
    expect(entry).to_have_count(0)
    first, second, third = (product["id"] for product in trio["products"])
    matches = good(http.get(f"/api/products/{first}/matches"))["matches"]
    assert [match["product"]["id"] for match in matches] == [second]
    assert good(http.get(f"/api/products/{third}/matches"))["matches"] == []


def test_offers_are_merged_undone_and_unmerged(
    new_page: NewPage, console_url: str, goods: Goods, http: httpx.Client
) -> None:
    page = new_page()
    entry = group(page, console_url, goods, "merged")
    page.keyboard.press("m")
    expect(entry).to_have_count(0)
    assert goods.names["merged"] not in str(listed(http, goods))
    page.keyboard.press("u")
    expect(entry).to_have_attribute("aria-current", "true")
    eventually(lambda: goods.names["merged"] in str(listed(http, goods)))
    page.keyboard.press("Shift+Digit2")
    expect(page.get_by_role("radio", name="Primary: offer 2")).to_be_checked()
    page.keyboard.press("m")
    expect(entry).to_have_count(0)

    page.goto(f"{console_url}/#/products?q={goods.names['merged'].replace(' ', '+')}")
    page.get_by_role("link", name="Merged offers of").first.click()
    merged = page.get_by_role("list", name="Merged offers")
    expect(merged.get_by_role("listitem")).to_have_count(2)
    settled(page)
    assert broken_in_both_schemes(page) == []
    page.get_by_role("button", name="Unmerge").click()
    page.get_by_role("dialog").get_by_role("button", name="Unmerge").click()
    expect(page.get_by_text("The offers stand by themselves again.")).to_be_visible()
    expect(merged).to_have_count(0)


@contextmanager
def paused(stack: Stack) -> Iterator[None]:
    """Nobody begins the work of a re-match meanwhile."""
    with instance(stack.environment()):
        cloud_queues.pause_queue("rematching")
        try:
            yield
        finally:
            cloud_queues.resume_queue("rematching")


def test_a_full_rematch_is_followed(
    new_page: NewPage, console_url: str, stack: Stack, goods: Goods
) -> None:
    page = new_page()
    page.goto(f"{console_url}/#/duplicates?retailer={goods.shops[0]}")
    # A small catalogue may be done before anybody sees it.
    with paused(stack):
        page.get_by_role("button", name="Match all again").click()
        page.get_by_role("dialog").get_by_role("button", name="Match all").click()
        expect(page.get_by_role("progressbar")).to_be_visible()
        expect(page).to_have_url(re.compile("rematch="))
        page.reload()
        expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_text(re.compile("products? matched again"))).to_be_visible(
        timeout=WORK_SECONDS * 1000
    )


def test_a_filled_queue_is_accessible_and_narrow(
    new_page: NewPage, console_url: str, goods: Goods
) -> None:
    page = new_page(reduced_motion="reduce")
    group(page, console_url, goods, "left")
    page.keyboard.press("1")
    settled(page)
    broken = broken_in_both_schemes(page)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert broken + broken_in_both_schemes(page) == []
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") == 360
