"""Classification: streamed live, decided by keyboard, and who answers; each as it is shown."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from llmock.scenarios import Fail, Match
from playwright.sync_api import expect

from local.stack import Stack
from shared.classification import circuits, keys
from shared.clients import firestore
from tests.browser.judging import (
    WORK_SECONDS,
    Json,
    NewPage,
    broken_in_both_schemes,
    broken_rules,
    good,
    new_word,
    settled,
)
from tests.integration.classification.models import answer, models_at, reply
from tests.integration.edge.instance import instance
from tests.polling import eventually

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
    new_page: NewPage, console_url: str, stack: Stack
) -> None:
    page = new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{console_url}/#/classify")
    settled(page)
    name = f"Ceylon Tea {new_word()}"
    page.get_by_label("Products").fill(f"{name} | Dilmah\nGreen Tea {new_word()}")
    page.get_by_label("Products").press("Control+Enter")

    first = page.get_by_role("listitem", name=name)
    expect(first).to_contain_text("The one before is overloaded; now Gemini is asked.")
    expect(first.get_by_role("meter")).to_have_attribute("aria-valuenow", "64")
    expect(first).to_contain_text("Needs review")
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
    page.keyboard.press("j")
    expect(first).to_be_focused()
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
    page.get_by_role("button", name=f"Take back the decision on {unsure[1]['name']}").click()
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


def test_a_batch_is_begun_from_a_filter_followed_and_cancelled(
    new_page: NewPage, console_url: str, http: httpx.Client, unsure: list[Json]
) -> None:
    shop = unsure[0]["retailer"]

    def counted() -> bool:
        answer = http.get("/api/products/stats")
        return answer.is_success and answer.json()["by_retailer"].get(shop) == len(unsure)

    eventually(counted, timeout_seconds=WORK_SECONDS)
    page = new_page()
    page.goto(f"{console_url}/#/batches")
    page.get_by_role("button", name="New batch").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Retailer").select_option(shop)
    expect(dialog.get_by_role("status")).to_contain_text("3 products fit")
    dialog.get_by_label("Begin with").select_option("local")
    dialog.get_by_role("button", name="Begin", exact=True).click()

    expect(page.get_by_text("Done: 3 of 3 products")).to_be_visible(timeout=60_000)
    results = page.get_by_role("table", name="Results")
    expect(results.get_by_role("rowheader")).to_have_count(3)
    page.get_by_label("Which results").select_option("successful")
    expect(page.get_by_text("None of these")).to_be_visible()
    assert broken_in_both_schemes(page) == []

    # A longer one, as it stands while it runs, and what is asked when it is to stop.
    batch_id = page.url.partition("/batches/")[2].partition("?")[0]
    address = f"**/classify-batch/{batch_id}"
    told = page.evaluate("id => fetch('/classify-batch/' + id).then((r) => r.json())", batch_id)
    running = {**told, "status": "running", "total": 10_000}
    page.route(address, lambda route: route.fulfill(json=running))
    stopped = {**running, "status": "cancelled"}
    page.route(f"{address}/cancel", lambda route: route.fulfill(json=stopped))
    page.reload()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the batch").click()
    expect(page.get_by_text("Cancelled: 3 of 10,000 products")).to_be_visible()
    page.get_by_role("link", name="Batches").last.click()
    expect(page.get_by_role("table", name="Batches")).to_contain_text("3 of 3, 3 to review")
    assert broken_in_both_schemes(page) == []
