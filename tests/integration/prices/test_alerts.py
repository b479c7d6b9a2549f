"""Rules on prices: made, refused, listed, removed."""

import json
import zlib

import pytest

from shared.prices.alert_rules import Rule, pack
from tests.integration.prices.alert_support import PATH, make
from tests.integration.prices.conftest import Offers
from tests.integration.products.support import READS, Json, Shop, good


def test_a_rule_is_made_listed_and_removed(shop: Shop, offers: Offers) -> None:
    (pid,) = offers()
    made = make(shop, pid, name="Rice", retailer="Keells", percent=12.5, quiet_minutes=30)
    assert made.pop("created_at").endswith("Z")
    alert_id = made.pop("id")
    assert made == {
        "name": "Rice",
        "product_id": pid,
        "category": None,
        "retailer": "keells",
        "kind": "down",
        "percent": 12.5,
        "price": None,
        "currency": None,
        "hysteresis_percent": 2,
        "quiet_minutes": 30,
        "channel": "slack",
        "webhook_url": None,
        "told": 0,
        "last_told_at": None,
        "version": 1,
    }
    listed = shop.get(PATH)["alerts"]
    assert [each["id"] for each in listed] == [alert_id]
    stale = shop.http.delete(f"{PATH}/{alert_id}", headers={"If-Match": '"7"'})
    assert stale.status_code == 412
    assert shop.http.delete(f"{PATH}/{alert_id}").status_code == 204
    assert shop.http.delete(f"{PATH}/{alert_id}").status_code == 404
    assert shop.get(PATH) == {"alerts": [], "next_cursor": None}
    actions = [
        (entry["action"], entry["before"] is None, entry["after"] is None)
        for entry in shop.documents("audit_logs").values()
        if entry["resource"] == f"price_alerts/{alert_id}"
    ]
    assert sorted(actions) == [
        ("price_alert.created", True, False),
        ("price_alert.deleted", False, True),
    ]


def test_a_limit_has_the_products_currency_and_two_percent_more(shop: Shop, offers: Offers) -> None:
    (pid,) = offers()
    made = make(shop, pid, kind="below", percent=None, price=99.5, hysteresis_percent=0.25)
    assert (made["price"], made["currency"], made["percent"]) == (99.5, "LKR", None)
    assert made["hysteresis_percent"] == 0.25


def test_the_secret_of_a_webhook_is_shown_once(shop: Shop, offers: Offers) -> None:
    (pid,) = offers()
    url = "https://hooks.example/in/private-path"
    body = {"name": "x", "kind": "down", "percent": 10, "product_id": pid}
    body |= {"channel": "webhook", "webhook_url": url}
    keyed = {"Idempotency-Key": pid}
    made, again = (shop.http.post(PATH, json=body, headers=keyed).json() for _ in range(2))
    assert made["webhook_secret"].startswith("whsec_")
    assert again == made
    answers = [kept["answer"] for kept in shop.documents("idempotency").values()]
    assert answers
    for answer in answers:
        with pytest.raises(zlib.error):
            zlib.decompress(answer)
    other = make(shop, pid, channel="webhook", webhook_url=url)
    assert other["webhook_secret"] != made["webhook_secret"]
    listed = json.dumps(shop.get(PATH, limit=100), ensure_ascii=False)
    for shown in (json.dumps(made, ensure_ascii=False), listed):
        assert '"https://hooks.example/…"' in shown
        assert "private-path" not in shown
    everything = listed
    for collection in ("price_alerts", "price_alert_rules", "audit_logs", "outbox"):
        everything += json.dumps(shop.documents(collection), default=str)
    assert made["webhook_secret"] not in everything
    entries = json.dumps(shop.documents("audit_logs"), default=str)
    assert "hooks.example" in entries
    assert "private-path" not in entries


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"percent": None}, "percent"),
        ({"percent": 0}, "percent"),
        ({"percent": -5}, "percent"),
        ({"percent": 100}, "percent"),
        ({"percent": 1.234}, "percent"),
        ({"kind": "up", "percent": 1001}, "percent"),
        ({"kind": "sideways"}, "kind"),
        ({"price": 5}, "price"),
        ({"currency": "LKR"}, "currency"),
        ({"kind": "below"}, "percent"),
        ({"kind": "below", "percent": None}, "price"),
        ({"kind": "below", "percent": None, "price": 0}, "price"),
        ({"kind": "below", "percent": None, "price": 1.001}, "price"),
        ({"kind": "below", "percent": None, "price": 1, "currency": "XYZ"}, "currency"),
        ({"kind": "below", "percent": None, "price": 1, "currency": "USD"}, "currency"),
        ({"category": "tea"}, "category"),
        ({"product_id": None}, "product_id"),
        ({"product_id": None, "category": "no-such-category"}, "category"),
        ({"product_id": "absent00absent00abse"}, "product_id"),
        ({"retailer": "---"}, "retailer"),
        ({"hysteresis_percent": -1}, "hysteresis_percent"),
        ({"quiet_minutes": 1_000_000}, "quiet_minutes"),
        ({"name": ""}, "name"),
        ({"channel": "pigeon"}, "channel"),
        ({"channel": "webhook"}, "webhook_url"),
        ({"webhook_url": "https://hooks.example/x"}, "webhook_url"),
        ({"channel": "webhook", "webhook_url": "ftp://hooks.example/x"}, "webhook_url"),
        ({"channel": "webhook", "webhook_url": "https://10.0.0.1/x"}, "webhook_url"),
        ({"channel": "webhook", "webhook_url": "https://u:p@hooks.example/x"}, "webhook_url"),
        ({"color": "red"}, "color"),
    ],
    ids=str,
)
def test_a_rule_that_is_none_names_its_field(
    shop: Shop, offers: Offers, changes: Json, field: str
) -> None:
    body = {"name": "x", "kind": "down", "percent": 10, "channel": "slack"}
    body |= {"product_id": offers()[0], **changes}
    sent = {name: value for name, value in body.items() if value is not None}
    answer = shop.http.post(PATH, json=sent)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field


def test_a_repeated_call_makes_one_rule(shop: Shop, offers: Offers) -> None:
    (pid,) = offers()
    body = {"name": "Once", "product_id": pid, "kind": "up", "percent": 5, "channel": "slack"}
    key = {"Idempotency-Key": f"alert-{pid}"}
    first, again = (good(shop.http.post(PATH, json=body, headers=key)) for _ in range(2))
    assert first == again
    named = [each for each in shop.get(PATH, limit=100)["alerts"] if each["product_id"] == pid]
    assert len(named) == 1


def test_rules_are_listed_by_page_at_a_read_a_row(shop: Shop, offers: Offers) -> None:
    shop.clear()
    ids = [make(shop, pid)["id"] for pid in offers(5)]
    seen: list[str] = []
    cursor: Json = {}
    while True:
        shop.renew_copy()
        answer = shop.http.get(PATH, params={"limit": 2, **cursor})
        page = good(answer)
        assert int(answer.headers[READS]) <= 2
        seen += [each["id"] for each in page["alerts"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == ids[::-1]
    assert shop.http.get(PATH, params={"cursor": "forged"}).status_code == 400


def test_there_are_at_most_five_hundred_rules(shop: Shop, offers: Offers) -> None:
    (pid,) = offers()
    rule = Rule(
        "r" * 20, "p" * 20, None, "keells", "down", 1000, None, 200, 60, 1, by_webhook=False
    )
    shop.database.document("price_alert_rules/all").set({"rules": pack([rule] * 500)})
    body = {"name": "x", "product_id": pid, "kind": "up", "percent": 5, "channel": "slack"}
    answer = shop.http.post(PATH, json=body)
    assert (answer.status_code, "500 price alerts" in answer.json()["detail"]) == (409, True)
    shop.database.document("price_alert_rules/all").set({"rules": pack([rule] * 499)})
    assert shop.http.post(PATH, json=body).status_code == 201
    shop.database.document("price_alert_rules/all").delete()
