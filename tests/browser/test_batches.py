"""Batches: begun from a filter, followed while they run, paid for, and cancelled."""

import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from llmock.scenarios import Delay
from playwright.sync_api import expect

from local.stack import Stack
from shared.classification import batch_sweep, batches, circuits, keys
from shared.classification.batch_progress import LATEST
from shared.classification.portions import MOST_IN_CALL
from shared.clients import firestore
from shared.clock import utc_now
from tests.browser.judging import (
    WORK_SECONDS,
    Json,
    NewPage,
    broken_in_both_schemes,
    good,
    new_word,
    settled,
)
from tests.integration.classification.models import Thinking, models_at
from tests.integration.edge.instance import instance
from tests.mock_model import MockModel
from tests.polling import eventually

KEY = "a-key-of-this-test-alone-1234"
# Eight calls at a time: there is time to see it move twice, and to cancel it.
CALLS, CALL_SECONDS = 60, 2.0
TOTAL = CALLS * MOST_IN_CALL


@pytest.fixture
def gemini(
    stack: Stack, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MockModel]:
    """Gemini, with a key, takes its time for each call and is paid for it."""
    model = MockModel(category=lambda _: "milk")
    monkeypatch.setattr(Thinking, "model", model)
    with models_at(stack) as models:
        good(http.post("/keys/set", json={"provider": "gemini", "key": KEY}))
        # What is imported for the first call must not count as an answer that does not come.
        trial = {"provider": "gemini"}
        eventually(lambda: good(http.post("/classify/test-provider", json=trial))["ok"])
        model.asked.clear()
        with instance(stack.environment()):
            circuits.forget("gemini")
        models.scenarios.add(Delay(CALL_SECONDS, times=None))
        yield model
    with instance(stack.environment()):
        firestore.client().collection(keys.COLLECTION).document("gemini").delete()
        circuits.forget("gemini")


def test_a_batch_is_begun_from_a_filter_and_followed_to_its_end(
    new_page: NewPage, console_url: str, http: httpx.Client
) -> None:
    shop = f"shop-{new_word()}"
    rows = [{"name": f"Odd {new_word()}", "price": 10 + n, "retailer": shop} for n in range(3)]
    good(http.post("/api/products/confirm", json={"products": rows}))

    def counted() -> bool:
        answer = http.get("/api/products/stats")
        return answer.is_success and answer.json()["by_retailer"].get(shop) == len(rows)

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
    page.get_by_role("link", name="Batches").last.click()
    expect(page.get_by_role("table", name="Batches")).to_contain_text("3 of 3, 3 to review")


def test_a_long_batch_is_watched_paid_for_and_cancelled(
    new_page: NewPage, console_url: str, http: httpx.Client, stack: Stack, gemini: MockModel
) -> None:
    spent = spent_today(http)
    products = [{"name": f"{new_word()} {new_word()}"} for _ in range(TOTAL)]
    begun = good(http.post("/classify-batch", json={"products": products, "provider": "gemini"}))
    page = new_page()
    page.goto(f"{console_url}/#/batches/{begun['batch_id']}")
    bar = page.locator(".progress")
    cost = page.locator(".figure").filter(has_text="Cost").locator(".big")

    # It moves by itself, and what it costs with it.
    first = running(page)
    expect(bar).not_to_contain_text(f"{first} of")
    assert running(page) > first
    expect(cost).not_to_have_text("US$0.00")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the batch").click()
    expect(bar).to_contain_text("Cancelling")
    expect(page.get_by_text("Nothing more begins.")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    settled(page)
    assert broken_in_both_schemes(page) == []
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 390

    eventually(lambda: is_worked_off(stack), timeout_seconds=WORK_SECONDS)
    asked = len(gemini.asked)
    assert asked < CALLS
    with instance(stack.environment()):
        batch_sweep.sweep(lambda: utc_now() + LATEST + timedelta(seconds=1))
    # What had begun has ended, nothing else has, and the screen hears of it.
    done = sum(map(len, gemini.asked))
    expect(bar).to_contain_text(f"Cancelled: {done} of {TOTAL:,} products")
    told = good(http.get(f"/classify-batch/{begun['batch_id']}"))
    assert (told["done"], told["calls"]) == (asked * MOST_IN_CALL, asked)
    assert told["cost"] == pytest.approx(spent_today(http) - spent)
    shown = f"US${round(Decimal(str(told['cost'])), 4):f}".rstrip("0")
    expect(cost).to_have_text(shown)
    assert len(gemini.asked) == asked


def running(page: Any) -> int:
    """How many are done, once there are some, of a batch that goes on."""
    bar = page.locator(".progress")
    expect(bar).to_contain_text(re.compile("Running: [1-9]"), timeout=WORK_SECONDS * 1000)
    told = re.search(r"Running: ([\d,]+) of", bar.inner_text())
    assert told
    return int(told[1].replace(",", ""))


def spent_today(http: httpx.Client) -> float:
    providers: list[Json] = good(http.get("/classify/providers"))["providers"]
    return float(next(each["spend_today"] for each in providers if each["name"] == "gemini"))


def is_worked_off(stack: Stack) -> bool:
    queues = {each["name"]: each for each in stack.control.tasks()["queues"]}
    return not queues[batches.QUEUE]["pending"] and not queues[batches.QUEUE]["running"]
