"""Crossings on their way from a price to Slack and to webhooks."""

import json
import random
import re
import secrets
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import msgspec
import pytest

from local.control import Control
from shared.clients import webhooks
from shared.clock import epoch_micros, from_epoch_micros, rfc3339
from shared.edge.attempts import ATTEMPTS
from shared.prices import notifications as writing
from shared.prices.alert_rules import Crossing, Rule, pack, unpack
from shared.prices.models import Point
from shared.prices.notifications import Notice
from shared.products import sweeping
from tests.alert_oracle import oracle
from tests.integration.edge.instance import instance
from tests.integration.prices.alert_support import PATH, alert_of, cost, make, notifications
from tests.integration.prices.conftest import Offers
from tests.integration.products.support import READS, WORK_SECONDS, Json, Shop
from tests.polling import eventually

LINE = re.compile(r"• Offer (\w+) at .* (?:from LKR ([\d,]+\.\d\d) to|costs) LKR ([\d,]+\.\d\d)")


def noticed(shop: Shop, alert_id: str) -> dict[str, Json]:
    return eventually(lambda: notifications(shop, alert_id), timeout_seconds=WORK_SECONDS)


def gather(shop: Shop, channel: str) -> None:
    assert shop.call_private("gather_notifications", {"channel": channel}).is_success


def settled(shop: Shop, alert_id: str, status: str) -> bool:
    found = notifications(shop, alert_id).values()
    return bool(found) and all(each["status"] == status for each in found)


def hook(shop: Shop, pid: str, box: str) -> tuple[str, str]:
    """A rule that tells a box of the sink, and its secret."""
    shop.stack.control.empty_sink(box)
    url = f"{shop.stack.plan.control_url}/sink/{box}"
    made = make(shop, pid, age_days=1, channel="webhook", webhook_url=url)
    return made["id"], made["webhook_secret"]


def crossed(shop: Shop, offers: Offers, box: str) -> tuple[str, str]:
    """A rule on a webhook with one crossing that is written, and its secret."""
    (pid,) = offers()
    alert_id, secret = hook(shop, pid, box)
    cost(shop, pid, 100, 89)
    noticed(shop, alert_id)
    return alert_id, secret


def dead_letter_of(shop: Shop, notification_id: str) -> Json | None:
    letters = shop.documents("dead_letters").values()
    return next((each for each in letters if notification_id in each["body"]), None)


def test_a_webhook_is_told_again_until_it_takes_it(shop: Shop, offers: Offers) -> None:
    (pid,) = offers()
    alert_id, secret = hook(shop, pid, "flaky")
    shop.stack.control.disturb_sink("flaky", status=503, times=1)
    cost(shop, pid, 100, 89)
    noticed(shop, alert_id)
    gather(shop, alert_id)
    eventually(lambda: settled(shop, alert_id, "sent"), timeout_seconds=WORK_SECONDS)
    taken, refused = shop.stack.control.taken("flaky")
    assert (taken["status"], refused["status"]) == (200, 503)
    assert taken["body"] == refused["body"]
    for message in (taken, refused):
        stamp = message["headers"]["x-shopple-timestamp"]
        signed = webhooks.signature(secret, stamp, message["body"].encode())
        assert message["headers"]["x-shopple-signature"] == signed
    body = json.loads(taken["body"])
    (notification_id,) = notifications(shop, alert_id)
    (told,) = body["alerts"]
    assert body["id"] == taken["headers"]["x-shopple-id"]
    assert told.pop("timestamp").endswith("Z")
    assert told == {
        "id": notification_id,
        "alert_id": alert_id,
        "alert": "Falls",
        "kind": "down",
        "product_id": pid,
        "product": f"Offer {pid}",
        "retailer": "keells",
        "price": 89,
        "compared_with": 100,
        "currency": "LKR",
        "change_percent": -11,
    }
    shown = alert_of(shop, alert_id)
    assert (shown["told"], shown["version"]) == (1, 1)
    assert shown["last_told_at"].endswith("Z")


def test_a_refusal_is_a_dead_letter_at_once_that_can_be_sent_by_hand(
    shop: Shop, offers: Offers
) -> None:
    alert_id, _ = crossed(shop, offers, "gone")
    shop.stack.control.disturb_sink("gone", status=410)
    gather(shop, alert_id)
    eventually(lambda: settled(shop, alert_id, "failed"), timeout_seconds=WORK_SECONDS)
    (notification_id,) = notifications(shop, alert_id)
    letter = eventually(lambda: dead_letter_of(shop, notification_id))
    assert letter["detail"] == "The webhook answered 410."
    assert (letter["function"], letter["queue"]) == ("send_notifications", "notifications")
    assert len(shop.stack.control.taken("gone")) == 1
    assert alert_of(shop, alert_id)["told"] == 0
    shop.stack.control.empty_sink("gone")
    for _ in range(2):
        assert shop.call_private(letter["function"], json.loads(letter["body"])).is_success
    assert len(shop.stack.control.taken("gone")) == 1
    assert alert_of(shop, alert_id)["told"] == 1


def test_the_last_attempt_ends_in_a_dead_letter(shop: Shop, offers: Offers) -> None:
    alert_id, _ = crossed(shop, offers, "broken")
    shop.stack.control.disturb_sink("broken", status=500)
    (notification_id,) = notifications(shop, alert_id)
    token = shop.stack.control.invoker_token()

    def attempt(number: int) -> int:
        return httpx.post(
            f"{shop.stack.plan.functions_url}/send_notifications",
            headers={
                "Authorization": f"Bearer {token}",
                "X-CloudTasks-TaskRetryCount": str(number - 1),
            },
            json={"ids": [notification_id]},
            timeout=WORK_SECONDS,
            trust_env=False,
        ).status_code

    assert attempt(ATTEMPTS["notifications"] - 1) == 503
    assert not settled(shop, alert_id, "failed")
    assert attempt(ATTEMPTS["notifications"]) == 204
    assert settled(shop, alert_id, "failed")
    assert dead_letter_of(shop, notification_id)


def test_what_is_due_together_is_one_message(shop: Shop, offers: Offers, slack: Control) -> None:
    (pid,) = offers()
    names = ["Falls", "Cheap & <!channel>", "Falls more"]
    ids = [make(shop, pid, age_days=1, name=name)["id"] for name in names]
    cost(shop, pid, 100, 89)
    for alert_id in ids:
        noticed(shop, alert_id)
    gather(shop, "slack")
    eventually(lambda: all(settled(shop, each, "sent") for each in ids))
    (message,) = slack.taken()
    heading, *lines = message["text"].splitlines()
    assert heading == "*3 price alerts*"
    said = f"• Offer {pid} at keells fell by 11 % from LKR 100.00 to LKR 89.00"
    assert sorted(lines) == sorted(
        f"{said} ({name})" for name in ("Falls", "Cheap &amp; &lt;!channel&gt;", "Falls more")
    )


def due(shop: Shop, offers: Offers, count: int) -> list[str]:
    """The ids of notifications for Slack that nothing gathers."""
    pids = offers(count)
    ids = [make(shop, pid, age_days=1)["id"] for pid in pids]
    rules = {str(rule.product_id): rule for rule in rules_of(shop) if rule.id in ids}
    at = epoch_micros(datetime.now(UTC))
    notices = [
        Notice(rules[pid], pid, f"Offer {pid}", Crossing(at, "keells", "LKR", 8900, 10_000))
        for pid in pids
    ]
    for notice in notices:
        fields = {**writing._fields(notice), "due": None, "status": "queued"}
        shop.database.document(f"notifications/{notice.id}").set(fields)
    return [notice.id for notice in notices]


def test_slack_is_told_once_though_tasks_are_doubled_and_grouped_anew(
    shop: Shop, offers: Offers, slack: Control
) -> None:
    ids = due(shop, offers, 3)
    slack.disturb_sink("slack", delay_seconds=0.5)
    groups = [ids[:2], ids[:2], ids[1:], ids[1:]]

    def told(group: list[str]) -> int:
        return shop.call_private("send_notifications", {"ids": group}).status_code

    with ThreadPoolExecutor(len(groups)) as pool:
        assert set(pool.map(told, groups)) <= {204, 409, 503}
    assert [told(group) for group in groups] == [204] * 4
    lines = [line for message in slack.taken() for line in LINE.findall(message["text"])]
    assert len(lines) == len(set(lines)) == 3


def test_what_a_crash_left_claimed_is_told_again_and_says_so(
    shop: Shop, offers: Offers, slack: Control
) -> None:
    (notification_id,) = due(shop, offers, 1)
    document = shop.database.document(f"notifications/{notification_id}")
    answers = []
    for minutes in (1, 10):
        document.update({"claimed_at": datetime.now(UTC) - timedelta(minutes=minutes)})
        answer = shop.call_private("send_notifications", {"ids": [notification_id]})
        answers.append((answer.status_code, len(slack.taken())))
    assert answers == [(503, 0), (204, 1)]
    (message,) = slack.taken()
    assert "Perhaps told before" in message["text"]


def test_late_prices_and_those_of_removed_products_are_no_news(shop: Shop, offers: Offers) -> None:
    late, removed, told = offers(3)
    ids = [make(shop, pid, age_days=20)["id"] for pid in (late, removed, told)]
    shop.stack.control.disturb_events(drop=True)
    cost(shop, late, 100, 80, hours_ago=9 * 24)
    for pid in (removed, told):
        cost(shop, pid, 100, 80)
    shop.database.document(f"products/{removed}").update({"listed": False, "status": "deleted"})
    follow_reads(shop, [late, removed, told])
    assert [len(notifications(shop, alert_id)) for alert_id in ids] == [0, 0, 1]
    shop.stack.control.reset_events()


def test_a_rule_on_a_category_and_a_retailer_watches_these(shop: Shop, offers: Offers) -> None:
    shop.database.document("categories/alerted").set({"name": "Alerted", "parent": None})
    inside, outside = offers(2)
    shop.database.document(f"products/{inside}").update({"category": "alerted"})
    here, elsewhere = (
        make(shop, None, category="alerted", retailer=name, age_days=1)["id"]
        for name in ("Keells", "Cargills")
    )
    shop.stack.control.disturb_events(drop=True)
    for pid in (inside, outside):
        cost(shop, pid, 100, 80)
    follow_reads(shop, [inside, outside])
    assert [each["product_id"] for each in notifications(shop, here).values()] == [inside]
    assert notifications(shop, elsewhere) == {}
    shop.stack.control.reset_events()


def test_a_removed_rule_says_nothing(shop: Shop, offers: Offers) -> None:
    alert_id, _ = crossed(shop, offers, "silent")
    assert shop.http.delete(f"{PATH}/{alert_id}").status_code == 204
    gather(shop, alert_id)
    eventually(lambda: settled(shop, alert_id, "dropped"), timeout_seconds=WORK_SECONDS)
    assert shop.stack.control.taken("silent") == []


def test_a_crash_between_writing_and_sending_is_mended_by_the_sweep(
    shop: Shop, offers: Offers
) -> None:
    (pid,) = offers()
    alert_id, _ = hook(shop, pid, "swept")
    (rule,) = (r for r in rules_of(shop) if r.id == alert_id)
    crossing = Crossing(epoch_micros(datetime.now(UTC)), "keells", "LKR", 8900, 10_000)
    notice = Notice(rule, pid, "Offer", crossing)
    with instance(shop.stack.environment()):
        writing._create({notice.id: notice})
        assert f"notification-{alert_id}" in shop.documents("outbox")
        sweeping.sweep(timedelta())
    eventually(lambda: settled(shop, alert_id, "sent"), timeout_seconds=WORK_SECONDS)
    eventually(lambda: f"notification-{alert_id}" not in shop.documents("outbox"))
    assert len(shop.stack.control.taken("swept")) == 1


def rules_of(shop: Shop) -> list[Rule]:
    return unpack((shop.database.document("price_alert_rules/all").get().to_dict() or {})["rules"])


@pytest.mark.alone
def test_rules_on_others_cost_a_change_one_read(shop: Shop, offers: Offers) -> None:
    (pid,) = offers()
    shop.stack.control.disturb_events(drop=True)
    cost(shop, pid, 100)
    usual = Rule("r", "p", None, None, "down", 1000, None, 200, 0, 0, by_webhook=False)
    for count in (0, 400):
        others = [
            msgspec.structs.replace(usual, id=f"r{n:019}", product_id=f"p{n:019}")
            for n in range(count)
        ]
        shop.database.document("price_alert_rules/all").set({"rules": pack(others)})
        # The debt, the rules, the summaries' document, the product, its partners, its months.
        assert follow_reads(shop, [pid]) <= 5 + 4
    without = follow_reads(shop, [pid])
    watching = make(shop, pid, age_days=6)["id"]
    # The rule goes back by a month at most, of which the summary reads two.
    assert follow_reads(shop, [pid]) <= without + 1
    cost(shop, pid, 80, hours_ago=1)
    assert follow_reads(shop, [pid]) <= without + 2
    assert len(notifications(shop, watching)) == 1
    shop.stack.control.reset_events()


def follow_reads(shop: Shop, product_ids: list[str]) -> int:
    """What following a change of these products' prices reads."""
    change = secrets.token_hex(10)
    debt = {"kind": "price", "id": change, "version": 1, "at": datetime.now(UTC)}
    shop.database.document(f"outbox/price-{change}").set({**debt, "product_ids": product_ids})
    answer = shop.call_private("follow_prices", {"change_id": change})
    assert answer.is_success, answer.text
    return int(answer.headers[READS])


def test_twenty_paths_tell_each_crossing_once_though_events_come_twice_and_shuffled(
    shop: Shop, offers: Offers, slack: Control
) -> None:
    shop.clear()
    chance = random.Random(20)  # noqa: S311 - the paths shall merely vary
    began = datetime.now(UTC) - timedelta(days=6)
    paths = {pid: path(chance, began) for pid in offers(20)}
    for number, pid in enumerate(paths):
        kind = ("down", "up", "below")[number % 3]
        limit = {"percent": None, "price": 100} if kind == "below" else {"percent": 10}
        make(shop, pid, kind=kind, quiet_minutes=(0, 60)[number % 2], **limit)
    aged = [
        msgspec.structs.replace(rule, created_micros=epoch_micros(began)) for rule in rules_of(shop)
    ]
    shop.database.document("price_alert_rules/all").set({"rules": pack(aged)})
    shop.stack.control.disturb_events(copies=2, delay_seconds=0.3)
    for part in range(4):
        send(shop, {pid: points[part * 6 : part * 6 + 6] for pid, points in paths.items()})
    all_told(shop)
    # As if the last change were followed again, twice at once.
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: follow_reads(shop, list(paths)), range(2)))
    all_told(shop)
    expected = Counter(
        (
            str(rule.product_id),
            "" if rule.kind == "below" else amount(c.before_minor),
            amount(c.price_minor),
        )
        for rule in aged
        for c in oracle(paths[str(rule.product_id)], rule)
    )
    lines = [line for message in slack.taken() for line in LINE.findall(message["text"])]
    assert expected.total() > 40
    assert Counter(lines) == expected
    assert sum(each["told"] for each in shop.get(PATH, limit=100)["alerts"]) == expected.total()
    shop.stack.control.reset_events()


def all_told(shop: Shop) -> None:
    """Return once all changes are followed and all notifications are sent."""
    eventually(
        lambda: not [key for key in shop.documents("outbox") if key.startswith("price-")],
        timeout_seconds=WORK_SECONDS,
    )
    gather(shop, "slack")
    eventually(
        lambda: {f["status"] for f in shop.documents("notifications").values()} == {"sent"},
        timeout_seconds=WORK_SECONDS,
    )


def amount(minor: int) -> str:
    return f"{minor / 100:,.2f}"


def path(chance: random.Random, began: datetime) -> list[Point]:
    price, points = 10_000, []
    for number in range(24):
        price = round(price * chance.choice((1, 1, 1.02, 0.97, 1.12, 0.88, 0.85)))
        price = min(20_000, max(6000, price))
        at = epoch_micros(began + timedelta(hours=1 + 5 * number))
        points.append(Point(at, "keells", price, "LKR", "api"))
    return points


def send(shop: Shop, paths: dict[str, list[Point]]) -> None:
    rows = [
        {
            "product_id": pid,
            "price": point.price_minor / 100,
            "retailer": point.retailer,
            "source": point.source,
            "timestamp": rfc3339(from_epoch_micros(point.at_micros)),
        }
        for pid, points in paths.items()
        for point in points
    ]
    answer = shop.http.post("/api/prices/upload", json={"prices": rows})
    assert answer.json()["stored"] == len(rows), answer.text
