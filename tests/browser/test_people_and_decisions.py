"""Approvals, price alerts, users and insights."""

import json
import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from local.stack import Stack
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
from tests.polling import eventually

# Later than any task that is waited for.
FAR_FUTURE = 4e9


def call_private(stack: Stack, function: str, body: Json) -> None:
    """Calls a task as Google calls it."""
    answer = httpx.post(
        f"{stack.plan.functions_url}/{function}",
        headers={"Authorization": f"Bearer {stack.control.invoker_token()}"},
        json=body,
        timeout=WORK_SECONDS,
        trust_env=False,
    )
    assert answer.is_success, answer.text


def offer(name: str, price: str, **more: Any) -> Json:
    known = {"brand": "Acme", "size": "1 kg", "retailer": "keells", "retailer_sku": name[-12:]}
    return {"name": name, "price": price, **known, **more}


@pytest.fixture(scope="module")
def goods(http: httpx.Client) -> Json:
    """A product of the catalogue."""
    last = new_word()
    rows = [offer(f"Lentils {new_word()} {last}", "450.00")]
    good(http.post("/api/products/confirm", json={"products": rows}))
    return listed(http, last)


def propose(stack: Stack, *offers: Json) -> None:
    call_private(stack, "propose_products", {"offers": list(offers), "source": "crawler"})


def proposals(page: Page, url: str) -> Locator:
    page.goto(f"{url}/#/approvals")
    expect(page.get_by_role("list", name="Proposals")).to_be_visible()
    return page.locator(".proposal")


def test_proposals_are_decided_by_keyboard(
    new_page: NewPage, console_url: str, stack: Stack, goods: Json
) -> None:
    page, names = new_page(), [f"Flour {new_word()} {new_word()}" for _ in range(2)]
    propose(stack, *(offer(name, "300.00") for name in names))
    propose(stack, {**offer(goods["name"], "495.00"), "retailer_sku": goods["retailer_sku"]})
    waiting = proposals(page, console_url)
    changed = waiting.filter(has_text=goods["name"])
    expect(changed.locator("del")).to_have_text("from LKR 450.00")
    expect(changed.locator("ins")).to_have_text("to LKR 495.00")
    expect(changed.locator(".change")).to_have_text("+10.0 %")

    before = waiting.count()
    expect(page.locator(".keys")).to_contain_text("approve")
    page.keyboard.press("j")
    expect(waiting.first).to_be_focused()
    page.keyboard.press("j")
    expect(waiting.nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(waiting.first).to_be_focused()
    page.keyboard.press("a")
    expect(waiting).to_have_count(before - 1)
    expect(waiting.first).to_be_focused()
    page.keyboard.press("r")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Reject").click()
    expect(dialog.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Reason").fill("Not ours to sell.")
    dialog.get_by_role("button", name="Reject").click()
    expect(waiting).to_have_count(before - 2)
    expect(page.locator(".proposal:focus, .count:focus")).to_have_count(1)


def test_keys_can_be_turned_off(new_page: NewPage, console_url: str, stack: Stack) -> None:
    page = new_page()
    propose(stack, offer(f"Rice {new_word()}", "300.00"))
    waiting = proposals(page, console_url)
    page.get_by_role("checkbox", name="Keys").uncheck()
    page.reload()
    expect(page.get_by_role("checkbox", name="Keys")).not_to_be_checked()
    page.keyboard.press("j")
    expect(waiting.first).not_to_be_focused()


def test_selected_proposals_are_approved_together(
    new_page: NewPage, console_url: str, stack: Stack
) -> None:
    page, mark = new_page(), new_word()
    propose(stack, *(offer(f"Salt {mark} {new_word()}", "90.00") for _ in range(3)))
    mine = proposals(page, console_url).filter(has_text=mark)
    for number in range(2):
        mine.nth(number).get_by_role("checkbox").check()
    page.get_by_role("button", name="Approve 2 selected").click()
    page.get_by_role("dialog").get_by_role("button", name="Approve").click()
    expect(page.get_by_text("2 proposals approved.")).to_be_visible()
    expect(mine).to_have_count(1)


def test_an_alert_is_set_and_its_secret_shown_once(
    new_page: NewPage, console_url: str, goods: Json
) -> None:
    page, name = new_page(), new_word()
    page.goto(f"{console_url}/#/products/{goods['id']}")
    page.get_by_role("link", name="Set a price alert").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("radio", name=re.compile(goods["name"]))).to_be_checked()
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Tell when the price").select_option("below")
    dialog.get_by_label("Price (LKR)").fill("400")
    dialog.get_by_label("Tell", exact=True).select_option("webhook")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_label("Webhook address")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Webhook address").fill("https://example.com/prices")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog).to_contain_text("It is shown this once")
    secret = dialog.locator(".secret").inner_text()
    assert len(secret) >= 32
    dialog.get_by_role("button", name="Done").click()

    page.reload()
    row = page.get_by_role("row").filter(has_text=name)
    expect(row).to_contain_text("Below LKR 400.00")
    expect(page.get_by_text(secret)).to_have_count(0)
    row.get_by_role("button", name=f"Delete {name}").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Alert deleted.")).to_be_visible()
    expect(row).to_have_count(0)


def test_a_user_is_invited_changed_exported_and_deleted(
    new_page: NewPage, console_url: str
) -> None:
    page, email = new_page(), f"{new_word()}@shopple.test"
    page.goto(f"{console_url}/#/users")
    page.get_by_role("button", name="Invite").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("E-mail address").fill("nobody")
    dialog.get_by_role("button", name="Invite").click()
    expect(dialog.get_by_label("E-mail address")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("E-mail address").fill(email)
    dialog.get_by_label("Name").fill("Amaya")
    dialog.get_by_role("radio", name="owl").check(force=True)
    dialog.get_by_role("button", name="Invite").click()
    row = page.get_by_role("row").filter(has_text=email)
    expect(row).to_contain_text("Admin")
    expect(row.locator("img")).to_have_attribute("src", "/avatars/owl.svg")
    assert eventually(lambda: row.locator("img").evaluate("image => image.naturalWidth"))

    row.get_by_role("button", name="Change").click()
    dialog.get_by_label("Role").select_option("super_admin")
    dialog.get_by_label("Disabled").check()
    dialog.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("Super admin")
    expect(row).to_contain_text("Disabled")

    with page.expect_download() as download:
        row.get_by_role("button", name="Export").click()
    assert json.loads(download.value.path().read_text())["profile"]["email"] == email

    row.get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Delete for good").click()
    typed = dialog.get_by_label("Type the e-mail address")
    expect(typed).to_have_attribute("aria-invalid", "true")
    typed.fill(email)
    dialog.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("The user is deleted.")).to_be_visible()
    expect(row).to_have_count(0)


def test_nobody_is_offered_to_delete_himself(new_page: NewPage, console_url: str) -> None:
    page = new_page()
    page.goto(f"{console_url}/#/users")
    me = page.get_by_role("row").filter(has_text="(you)")
    expect(me.get_by_role("button", name="Change")).to_be_visible()
    expect(me.get_by_role("button", name="Delete")).to_have_count(0)
    me.get_by_role("button", name="Change").click()
    expect(page.get_by_role("dialog").get_by_label("Role")).to_be_disabled()


def test_activity_is_drawn_and_said(new_page: NewPage, console_url: str, stack: Stack) -> None:
    call_private(stack, "refresh_insights", {"due_at": FAR_FUTURE})
    page = new_page()
    page.goto(f"{console_url}/#/insights")
    drawn = page.get_by_role("img", name=re.compile("^Active users per day over 30 days"))
    expect(drawn).to_be_visible()
    page.get_by_text("Days as a table").click()
    table = page.get_by_role("table", name="Activity by day, newest first")
    expect(table.get_by_role("row")).to_have_count(31)
    page.get_by_role("radio", name="90 days").check(force=True)
    expect(page.get_by_role("img", name=re.compile("over 90 days"))).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("^Active users and sign-ups"))).to_be_visible()
    expect(page.get_by_role("region", name="Retention by week of sign-up")).to_contain_text(
        re.compile(r"\d+ %")
    )


def test_filled_screens_and_dialogs_are_accessible(
    new_page: NewPage, console_url: str, stack: Stack, goods: Json
) -> None:
    propose(stack, offer(f"Oil {new_word()}", "900.00"), offer(goods["name"], "470.00"))
    call_private(stack, "refresh_insights", {"due_at": FAR_FUTURE})
    page, broken = new_page(reduced_motion="reduce"), []
    screens = {
        "approvals": re.compile("^Reject"),
        "alerts": re.compile("^New alert"),
        "users": re.compile("^Change"),
        "insights": None,
    }
    for path, opener in screens.items():
        page.goto(f"{console_url}/#/{path}")
        expect(page.locator(".nav a[aria-current]")).to_have_attribute("href", f"#/{path}")
        settled(page)
        broken += broken_in_both_schemes(page)
        if opener:
            page.get_by_role("button", name=opener).first.click()
            broken += broken_in_both_schemes(page)
    assert broken == []
