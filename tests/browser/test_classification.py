"""Classification: streamed live, decided by keyboard, and who answers; each as it is shown."""

import re
from collections.abc import Iterator, Sequence
from threading import Event
from urllib.parse import urlsplit

import httpx
import pytest
from llmock.scenarios import Fail, Match
from playwright.sync_api import Locator, Page, expect

from local.stack import Stack
from shared.classification import circuits, keys
from shared.classification.circuit_rules import FAILURES_TO_OPEN
from shared.clients import firestore
from tests.browser.judging import (
    Json,
    NewPage,
    broken_in_both_schemes,
    broken_rules,
    good,
    new_word,
    settled,
)
from tests.integration.classification.models import Thinking, answer, models_at, reply
from tests.integration.edge.instance import instance
from tests.mock_model import MockModel

KEY = "a-key-of-this-test-alone-1234"


@pytest.fixture
def groq_fails(stack: Stack, http: httpx.Client) -> Iterator[None]:
    """Groq has a key and fails, and gemini answers, as long as a test takes."""
    with models_at(stack) as models:
        models.scenarios.add(Fail(500, times=None, match=Match(provider="groq")))
        models.scenarios.add(reply(answer("tea", 95), "gemini"))
        for provider in ("groq", "gemini"):
            good(http.post("/keys/set", json={"provider": provider, "key": KEY}))
        yield
    with instance(stack.environment()):
        for provider in ("groq", "gemini"):
            firestore.client().collection(keys.COLLECTION).document(provider).delete()
            circuits.forget(provider)


@pytest.fixture
def unsure(http: httpx.Client) -> list[Json]:
    """Three products of a category of their own in the queue, newest first."""
    shop = f"shop-{new_word()}"
    rows = [{"name": f"Odd {new_word()}", "price": 10 + n, "retailer": shop} for n in range(3)]
    good(http.post("/api/products/confirm", json={"products": rows}))
    listed = good(http.get("/api/products", params={"retailer": shop, "sort": "price"}))
    for product in listed["products"]:
        told = {"name": product["name"], "id": product["id"]}
        http.post("/classify", json={"products": [told], "provider": "local"}).raise_for_status()
    return list(reversed(listed["products"]))


@pytest.mark.usefixtures("groq_fails")
def test_products_are_classified_live_and_a_new_beginning_is_told(
    new_page: NewPage, console_url: str, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{console_url}/#/classify")
    settled(page)
    name, late = f"Ceylon Tea {new_word()}", f"Green Tea {new_word()}"
    answered = Event()
    monkeypatch.setattr(Thinking, "held", (late.encode(), answered))
    page.get_by_label("Products").fill(f"{name} | Dilmah\n{late}")
    page.get_by_label("Products").press("Control+Enter")

    first, last = (page.get_by_role("listitem", name=each) for each in (name, late))
    expect(first).to_contain_text("The one before is overloaded; now Gemini is asked.")
    expect(first.get_by_role("meter")).to_have_attribute("aria-valuenow", "64")
    expect(first).to_contain_text("Needs review")
    # Each as it comes: nobody has answered for the other one yet.
    expect(last).to_contain_text("Waits…")
    expect(page.locator(".progress")).to_contain_text("1 of 2 products")
    answered.set()
    expect(last).to_contain_text("Needs review")
    expect(page.locator(".progress")).to_contain_text("2 classified")
    function = urlsplit(stack.plan.functions_url)
    streams = [urlsplit(url) for url in asked if url.endswith("/classify")]
    assert {url.netloc for url in streams} == {function.netloc}
    assert broken_in_both_schemes(page) == []


def test_the_queue_is_worked_by_keyboard(
    new_page: NewPage, console_url: str, http: httpx.Client, unsure: list[Json]
) -> None:
    page = new_page()
    page.goto(f"{console_url}/#/reviews?provider=local")
    settled(page)
    assert broken_in_both_schemes(page) == []
    first, second, third = (page.get_by_role("listitem", name=each["name"]) for each in unsure)
    accept_together(page, (first, second, third))
    assert statuses(http, unsure) == ["accepted"] * 3
    page.keyboard.press("u")
    expect(first).to_be_focused()
    assert statuses(http, unsure) == ["open"] * 3
    page.keyboard.press("c")
    page.get_by_label("Find").press_sequentially("biscu")
    assert broken_rules(page) == []
    page.keyboard.press("Enter")
    expect(first).to_have_count(0)
    expect(second).to_be_focused()
    page.keyboard.press("a")
    expect(second).to_have_count(0)
    expect(third).to_be_focused()
    # A slip is taken back, and made good.
    page.keyboard.press("u")
    expect(second).to_be_focused()
    assert page.get_by_role("button", name="Take back the last decision").count() == 0
    page.keyboard.press("r")
    expect(second).to_have_count(0)
    page.get_by_label("Show", exact=True).select_option("decided")
    second.focus()
    page.keyboard.press("u")
    expect(second).to_have_count(0)
    page.get_by_label("Show", exact=True).select_option("")
    second.focus()
    page.keyboard.press("a")
    expect(second).to_have_count(0)
    expect(third).to_be_focused()

    # What somebody else changes meanwhile is told, and decided only when it has been seen.
    odd = good(http.get(f"/api/products/{unsure[2]['id']}"))
    body = {key: odd[key] for key in ("brand", "size", "category", "price", "currency")}
    good(http.put(f"/api/products/{odd['id']}", json={**body, "name": f"{odd['name']} Soap"}))
    page.keyboard.press("r")
    expect(third.get_by_role("alert")).to_contain_text("changed meanwhile")
    third.get_by_role("button", name="Try again").click()
    expect(third).to_contain_text(f"is called {odd['name']} Soap now")
    third.focus()
    page.keyboard.press("x")
    page.get_by_role("button", name="Reject 1").click()
    page.get_by_role("dialog").get_by_role("button", name="Reject").click()
    expect(third).to_have_count(0)
    filed = [good(http.get(f"/api/products/{each['id']}"))["category"] for each in unsure]
    assert filed[0] == "biscuits"
    assert filed[2] == odd["category"]


@pytest.mark.usefixtures("groq_fails")
def test_a_circuit_opens_and_what_was_spent_is_shown(
    new_page: NewPage, console_url: str, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Thinking, "model", MockModel(category=lambda _: "milk"))
    page = new_page()
    page.goto(f"{console_url}/#/providers")
    groq = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="Groq"))
    gemini = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="Gemini"))
    expect(groq).to_contain_text("Asked as usual")
    for failures in range(1, FAILURES_TO_OPEN + 1):
        expect(groq).to_contain_text("Asked as usual")
        groq.get_by_role("button", name="Test Groq").press("Enter")
        expect(groq.get_by_role("status")).to_contain_text("No good answer")
        expect(groq).to_contain_text("Failed of late100 %")
        assert told(http, "groq")["circuit"] == ("closed", "open")[failures == FAILURES_TO_OPEN]
    expect(groq).to_contain_text("Circuit open")
    expect(groq).to_contain_text(re.compile("Left alone: overloaded, until \\d"))
    expect(groq.get_by_role("button", name="Test Groq")).to_be_focused()

    before = told(http, "gemini")["spend_today"]
    gemini.get_by_role("button", name="Test Gemini").click()
    expect(gemini.get_by_role("status")).to_contain_text("Answers in")
    spent = told(http, "gemini")["spend_today"]
    assert spent > before
    expect(gemini).to_contain_text(f"Spent todayUS${spent:.4f}".rstrip("0"))
    expect(gemini).to_contain_text("of US$10.00")
    assert broken_in_both_schemes(page) == []


def told(http: httpx.Client, provider: str) -> Json:
    providers: list[Json] = good(http.get("/classify/providers"))["providers"]
    return next(each for each in providers if each["name"] == provider)


def test_providers_are_tried_and_given_keys(
    new_page: NewPage, console_url: str, stack: Stack
) -> None:
    page = new_page(viewport={"width": 390, "height": 800})
    page.goto(f"{console_url}/#/providers")
    settled(page)
    page.get_by_role("button", name="Test Local").click()
    expect(page.get_by_text("Answers in")).to_be_visible()
    page.get_by_role("button", name="the key for Cerebras").click()
    page.get_by_label("Key", exact=True).fill(KEY)
    page.keyboard.press("Enter")
    cerebras = page.get_by_role("listitem").filter(has_text="Cerebras")
    expect(cerebras).to_contain_text("…1234 set here")
    assert KEY not in page.content()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert broken_in_both_schemes(page) == []
    with instance(stack.environment()):
        firestore.client().collection(keys.COLLECTION).document("cerebras").delete()


def accept_together(page: Page, entries: Sequence[Locator]) -> None:
    for each in entries:
        page.keyboard.press("j")
        expect(each).to_be_focused()
        page.keyboard.press("x")
    page.keyboard.press("a")
    dialog = page.get_by_role("dialog", name=f"Accept {len(entries)} results?")
    expect(dialog.get_by_role("button", name="Accept")).to_be_focused()
    page.keyboard.press("Enter")
    for each in entries:
        expect(each).to_have_count(0)
    back = f"Take back the last {len(entries)} decisions"
    expect(page.get_by_role("button", name=back)).to_be_visible()


def statuses(http: httpx.Client, products: list[Json]) -> list[str]:
    """What became of each product's entry in the queue."""
    found = {}
    for status in ("open", "decided"):
        wanted = {"status": status, "provider": "local", "limit": 100}
        for each in good(http.get("/classify/reviews", params=wanted))["reviews"]:
            found[each["product"].get("id")] = each["status"]
    return [found[each["id"]] for each in products]
