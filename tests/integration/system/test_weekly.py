"""The weekly report reaches Slack once, whoever asks for it how often."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from local.stack import Stack
from shared.system import weekly, weekly_figures
from tests.integration.edge.instance import instance
from tests.integration.products.support import READS, Json, Shop

NOW = datetime.now(UTC)
MONDAY = (NOW - timedelta(days=NOW.weekday() + 7)).date()
YEAR, WEEK, _ = MONDAY.isocalendar()
RECORD = f"weekly_reports/{YEAR}-W{WEEK:02}"
PRICES = {
    "as_of": None,
    "movers": {
        "up": [{"name": "Tea <1>", "retailer": "keells", "change_percent": 12.5}],
        "down": [{"name": "Rice", "retailer": "keells", "change_percent": -20.0}],
    },
    "index": [{"retailer": "keells", "index": 101.5, "products": 4}],
    "coverage": [{"retailer": "", "products": 9, "priced": 6, "percent": 66.67}],
}


@pytest.fixture(autouse=True)
def known(shop: Shop) -> Iterator[None]:
    """A week with something to say, and an empty channel."""
    shop.clear()
    database = shop.database
    database.document("statistics/products").set({"total": 9, "by_retailer": {"keells": 9}})
    database.document("statistics/prices").set({"figures": msgspec.json.encode(PRICES).decode()})
    database.document("product_requests/a").set({"status": "open"})
    database.document("product_requests/b").set({"status": "done"})
    database.document("dead_letters/a").set({"at": NOW})
    database.document("proposals/a").set({"status": "pending"})
    for number, (uid, ago) in enumerate([("u1", 0), ("u1", 3), ("u2", 6), ("u3", 7), ("u4", -1)]):
        day = (MONDAY + timedelta(days=6 - ago)).isoformat()
        database.document(f"user_activity/{number}").set({"uid": uid, "day": day})
    shop.stack.control.empty_sink()
    yield
    shop.stack.control.empty_sink()


def said(shop: Shop) -> list[str]:
    """The messages that Slack took, oldest first."""
    taken = shop.stack.control.taken()[::-1]
    return [each["text"] for each in taken if each["status"] == 200]


def record(shop: Shop) -> Json:
    return shop.database.document(RECORD).get().to_dict() or {}


def test_it_is_sent_once_with_what_the_documents_say(shop: Shop) -> None:
    first = shop.call_private("report_week")
    assert first.is_success
    again = shop.call_private("report_week")
    assert again.is_success
    assert int(again.headers[READS]) == 1
    (message,) = said(shop)
    for words in (
        f"week {YEAR}-W{WEEK:02}",
        "9 products\n",
        "Rice at keells -20 %; Tea &lt;1&gt; at keells +12.5 %",
        "keells 101.5",
        "66.67 %",
        "1 product requests, 1 proposals, 1 dead letters",
        "Active users: 2",
    ):
        assert words in message
    assert record(shop)["status"] == "sent"


def test_the_change_is_since_the_week_before(shop: Shop) -> None:
    assert shop.call_private("report_week").is_success
    year, week, _ = (MONDAY - timedelta(days=7)).isocalendar()
    before = record(shop)
    before["figures"]["total"] = 4
    shop.database.document(f"weekly_reports/{year}-W{week:02}").set(before)
    shop.database.document(RECORD).delete()
    assert shop.call_private("report_week").is_success
    assert "9 products (+5 in a week)" in said(shop)[-1]


def test_of_calls_at_once_one_sends(shop: Shop) -> None:
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: shop.call_private("report_week"), range(3)))
    assert any(answer.is_success for answer in answers)
    assert len(said(shop)) == 1


def test_what_slack_refused_is_sent_by_the_next_call(shop: Shop) -> None:
    shop.stack.control.disturb_sink(status=500, times=1)
    assert shop.call_private("report_week").status_code == 503
    assert record(shop)["status"] == "failed"
    assert shop.call_private("report_week").is_success
    (message,) = said(shop)
    assert "Sent again" not in message


def test_a_call_that_was_cut_off_is_made_up_for_and_told(shop: Shop) -> None:
    assert shop.call_private("report_week").is_success
    claim = record(shop) | {"status": "claimed", "sent_at": None}
    shop.database.document(RECORD).set(claim)
    # Whoever made the claim may still be sending.
    assert shop.call_private("report_week").status_code == 503
    left = claim | {"claimed_at": NOW - weekly.CLAIM_LIFETIME - timedelta(minutes=1)}
    shop.database.document(RECORD).set(left)
    assert shop.call_private("report_week").is_success
    first, second = said(shop)
    assert "Sent again" not in first
    assert "Sent again" in second


def test_without_slack_nothing_is_sent_and_the_week_is_not_lost(stack: Stack, shop: Shop) -> None:
    with instance(stack.environment(), SLACK_WEBHOOK_URL=None):
        assert not weekly.report()
    assert record(shop)["status"] == "off"
    assert shop.call_private("report_week").is_success
    assert len(said(shop)) == 1


def test_counts_stop_and_say_so(stack: Stack, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weekly_figures, "MOST", 2)
    shop.database.document("dead_letters/b").set({"at": NOW})
    with instance(stack.environment()):
        figures = weekly_figures.gather(MONDAY)
    assert str(figures.dead_letters) == "2+"
    assert figures.active_users.is_minimum
