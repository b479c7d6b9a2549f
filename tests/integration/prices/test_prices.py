"""Prices from their upload to their history, trend and dashboard."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.prices.summaries import Summary, bucket_of, pack
from tests.integration.prices.conftest import Offers
from tests.integration.products.support import FAR_FUTURE, READS, WORK_SECONDS, Json, Shop, good
from tests.polling import eventually

# Uploads and ends its process at the fifth commit, telling which transactions it leaves open.
DYING = """
import os, sys
from google.cloud.firestore_v1.services.firestore.client import FirestoreClient as Client
from shared.edge.request import Actor
from shared.edge.validation import read_json
from shared.prices.schemas import PriceUpload
from shared.prices.upload import upload
begin, commit, calls, held = Client.begin_transaction, Client.commit, 0, set()
def beginning(*args, **kwargs):
    answer = begin(*args, **kwargs)
    held.add(answer.transaction)
    return answer
def dying(self, request, **kwargs):
    global calls
    calls += 1
    if calls >= 5:
        os.write(1, " ".join(each.hex() for each in held).encode())
        os._exit(99)
    answer = commit(self, request=request, **kwargs)
    held.discard(request["transaction"])
    return answer
Client.begin_transaction, Client.commit = beginning, dying
body = PriceUpload(read_json(sys.stdin.buffer.read())["prices"])
upload(body, Actor("drill", "", "prices.uploaded", "", ""))
"""
BAD: list[Json] = [
    {"price": -1},
    {"price": "dear"},
    {"retailer": ""},
    {"source": "hearsay"},
    {"product_id": "absent00absent00abse"},
    {"product_id": "../../users"},
    {"timestamp": "yesterday"},
    {"timestamp": "2999-01-01T00:00:00Z"},
    {"currency": "EUR"},
    {"price": 0},
]


def row(product_id: str, **fields: Any) -> Json:
    return {
        "product_id": product_id,
        "price": 100.5,
        "retailer": "keells",
        "timestamp": "2026-03-01T10:00:00Z",
        "source": "api",
        **fields,
    }


def send(shop: Shop, rows: list[Json]) -> Json:
    return good(shop.http.post("/api/prices/upload", json={"prices": rows}))


def days_ago(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat().replace("+00:00", "Z")


def counts(told: Json) -> tuple[int, ...]:
    return tuple(told[name] for name in ("stored", "unchanged", "quarantined", "rejected"))


def points_stored(shop: Shop, ids: list[str]) -> int:
    query = {"from": "2026-01-01", "to": "2026-12-31"}
    return sum(shop.get(f"/api/prices/history/{pid}", **query)["stats"]["count"] for pid in ids)


def test_each_row_has_its_verdict(shop: Shop, offers: Offers) -> None:
    (pid,) = offers()
    rows = [
        row(pid),
        row(pid, price="Rs. 100.50"),
        row(pid, price=101),
        row(pid, price=5000, timestamp="2026-03-02T10:00:00Z"),
        row(pid, price=5000, timestamp="2026-03-03T10:00:00Z", confirmed=True),
        row(pid, retailer="Other Shop", note="x"),
        {"product_id": pid},
    ]
    told = send(shop, rows)
    verdicts = [each["verdict"] for each in told["verdicts"]]
    assert verdicts == [
        "stored",
        "unchanged",
        "rejected",
        "quarantined",
        "stored",
        "stored",
        "rejected",
    ]
    assert [each["row"] for each in told["verdicts"]] == list(range(1, 8))
    assert told["verdicts"][6] == {
        "row": 7,
        "verdict": "rejected",
        "field": "price",
        "reason": "is required",
    }
    assert told["ignored"] == ["note"]
    (kept,) = shop.documents("price_quarantine").values()
    assert (kept["product_id"], kept["price_minor"]) == (pid, 500_000)
    confirmed = row(pid, price=5000, timestamp="2026-03-02T10:00:00Z", confirmed=True)
    assert counts(send(shop, [confirmed])) == (1, 0, 0, 0)
    assert shop.documents("price_quarantine") == {}


@pytest.mark.parametrize("fields", BAD, ids=str)
def test_a_bad_row_names_its_field_and_loses_no_other(
    shop: Shop, offers: Offers, fields: Json
) -> None:
    (pid,) = offers()
    told = send(shop, [row(pid) | fields, row(pid)])
    assert counts(told) == (1, 0, 0, 1)
    assert told["verdicts"][0]["field"] == next(iter(fields))
    assert told["verdicts"][0]["reason"]


def test_an_upload_is_audited_with_its_manifest(shop: Shop, offers: Offers) -> None:
    (pid,) = offers()
    told = send(shop, [row(pid), {}])
    name = f"price_uploads/{told['upload_id']}"
    (entry,) = [e for e in shop.documents("audit_logs").values() if e["resource"] == name]
    assert entry["action"] == "prices.uploaded"
    assert entry["after"] == {"total": 2, "readable": 1, "chunks": 1}
    assert f"{told['upload_id']}-0" in shop.documents("price_upload_chunks")


def test_history_costs_its_months_and_one(shop: Shop, offers: Offers) -> None:
    (pid,) = offers()
    begin = datetime(2025, 1, 15, 12, tzinfo=UTC)
    prices = [100 + number for number in range(13)]
    moments = [begin + timedelta(days=30 * number) for number in range(13)]
    rows = [
        row(pid, price=p, timestamp=m.isoformat()) for p, m in zip(prices, moments, strict=True)
    ]
    assert counts(send(shop, rows)) == (13, 0, 0, 0)
    asked = {"from": "2025-01-15", "to": "2026-01-14"}
    shop.redis("FLUSHALL")
    shop.renew_copy()
    answer = shop.http.get(f"/api/prices/history/{pid}", params=asked)
    told = good(answer)
    assert (answer.headers["X-Cache"], int(answer.headers[READS])) == ("MISS", 14)
    assert [point["price"] for point in told["points"]] == prices
    assert told["stats"] == {
        "min": 100,
        "max": 112,
        "average": 106,
        "median": 106,
        "count": 13,
        "currency": "LKR",
    }
    again = shop.http.get(f"/api/prices/history/{pid}", params=asked)
    assert (again.headers["X-Cache"], again.headers[READS]) == ("HIT", "0")
    april = {"from": "2025-04-01", "to": "2025-04-30"}
    assert [p["price"] for p in shop.get(f"/api/prices/history/{pid}", **april)["points"]] == [103]
    other = shop.get(f"/api/prices/history/{pid}", **asked, retailer="cargills")
    assert (other["points"], other["stats"]["count"], other["stats"]["min"]) == ([], 0, None)


def test_an_upload_is_in_the_next_history(shop: Shop, offers: Offers) -> None:
    (pid,) = offers()
    asked = {"from": "2026-03-01", "to": "2026-03-01"}
    assert shop.get(f"/api/prices/history/{pid}", **asked)["points"] == []
    send(shop, [row(pid)])
    (point,) = shop.get(f"/api/prices/history/{pid}", **asked)["points"]
    for name in ("keells", "Keells", " KEELLS "):
        assert shop.get(f"/api/prices/history/{pid}", **asked, retailer=name)["points"] == [point]
    answer = shop.http.get(f"/api/prices/history/{pid}", params={**asked, "retailer": "!"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "retailer")
    assert point == {
        "timestamp": "2026-03-01T10:00:00.000000Z",
        "price": 100.5,
        "currency": "LKR",
        "retailer": "keells",
        "source": "api",
    }


def test_an_interval_shows_its_last_price_and_the_statistics_of_all(
    shop: Shop, offers: Offers
) -> None:
    (pid,) = offers()
    hours = [f"2026-03-0{day}T{hour:02}:00:00Z" for day in (2, 3) for hour in (8, 12, 16)]
    send(shop, [row(pid, price=100 + n, timestamp=at) for n, at in enumerate(hours)])
    told = shop.get(
        f"/api/prices/history/{pid}", **{"from": "2026-03-01", "to": "2026-03-31"}, interval="day"
    )
    assert [point["price"] for point in told["points"]] == [102, 105]
    assert told["stats"]["count"] == 6


@pytest.mark.parametrize(
    "query",
    [{"from": "soon"}, {"from": "2026-02-01", "to": "2026-01-01"}, {"from": "1990-01-01"}],
    ids=str,
)
def test_a_range_that_is_none_is_refused(shop: Shop, offers: Offers, query: Json) -> None:
    answer = shop.http.get(f"/api/prices/history/{offers()[0]}", params=query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "from"


def test_an_unknown_product_has_no_history(shop: Shop) -> None:
    assert shop.http.get("/api/prices/history/absent00absent00abse").status_code == 404


def test_trends_are_told_with_the_days_without_data(shop: Shop, offers: Offers) -> None:
    rising, flat = offers(2)
    days = [day for day in range(1, 29) if day % 7]
    rows = [row(rising, price=150 - day, timestamp=days_ago(day)) for day in days]
    rows += [row(flat, price=100, timestamp=days_ago(day)) for day in days]
    assert counts(send(shop, rows))[0] == 48
    body = {"product_ids": [rising, flat, "absent00absent00abse"], "window_days": 30}
    told = good(shop.http.post("/api/prices/analyze", json=body))
    up, level = told["trends"]
    assert (up["trend"], level["trend"]) == ("increasing", "stable")
    assert (up["slope"], up["days_with_data"], up["days_without_data"]) == (1, 24, 6)
    assert up["significance"] < 0.001
    assert told["unknown"] == ["absent00absent00abse"]


def test_more_rows_than_that_are_refused(shop: Shop) -> None:
    answer = shop.http.post("/api/prices/upload", json={"prices": [{}] * 10_001})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "prices"


@pytest.mark.parametrize("accident", ["none", "thrice", "lost"])
def test_a_change_reaches_the_dashboard(shop: Shop, offers: Offers, accident: str) -> None:
    shop.clear()
    (pid,) = offers()
    if accident == "thrice":
        shop.stack.control.disturb_events(copies=3, delay_seconds=0.5)
    elif accident == "lost":
        shop.stack.control.disturb_events(drop=True)
    send(shop, [row(pid, price=100, timestamp=days_ago(9)), row(pid, timestamp=days_ago(0.5))])
    send(shop, [row(pid, price=120, timestamp=days_ago(0.1))])
    if accident == "lost":
        for change in shop.documents("outbox").values():
            assert shop.call_private("follow_prices", {"change_id": change["id"]}).is_success

    def moved() -> Json | None:
        told = shop.get("/api/prices/analytics")
        return told if told["movers"]["up"] else None

    (mover,) = eventually(moved, timeout_seconds=WORK_SECONDS)["movers"]["up"]
    assert (mover["product_id"], mover["price"], mover["previous_price"]) == (pid, 120, 100)
    assert mover["change_percent"] == 20
    eventually(lambda: not [k for k in shop.documents("outbox") if k.startswith("price-")])
    assert shop.get("/api/prices/analytics")["volatility"][0]["products"] == 1


@pytest.mark.parametrize("size", [2000, 20_000])
def test_the_dashboard_costs_the_same_at_any_size(shop: Shop, size: int) -> None:
    now = int(datetime.now(UTC).timestamp() * 1_000_000)
    buckets: dict[str, dict[str, Summary]] = {}
    for number in range(size):
        pid = f"p{number:019}"
        made = Summary("keells", "LKR", 1000 + number, now, 1000, 2.0, ())
        buckets.setdefault(bucket_of(pid), {})[pid] = made
    writer = shop.database.bulk_writer()
    for name, summaries in buckets.items():
        document = shop.database.collection("price_summaries").document(name)
        writer.set(document, {"products": pack(summaries)})
    writer.close()  # type: ignore[no-untyped-call]

    def refreshed() -> int | None:
        answer = shop.call_private("refresh_price_analytics", {"due_at": FAR_FUTURE})
        return int(answer.headers[READS]) if answer.is_success else None

    assert eventually(refreshed) <= 256 + 2 + 20
    shop.redis("DEL", "prices:generation")
    shop.renew_copy()
    answer = shop.http.get("/api/prices/analytics")
    assert good(answer)["volatility"][0]["products"] == size
    assert (answer.headers["X-Cache"], answer.headers[READS]) == ("MISS", "1")


def test_ten_thousand_rows_are_stored_once_though_the_upload_was_killed(
    shop: Shop, offers: Offers
) -> None:
    shop.stack.control.disturb_events(drop=True)
    ids = [pid for _ in range(2) for pid in offers(250)]
    rows = [
        row(pid, price=100 + n, timestamp=f"2026-0{1 + n % 2}-{1 + n:02}T10:00:00Z")
        for n in range(20)
        for pid in ids
    ]
    for number in range(0, len(rows), 20):
        rows[number] = rows[number] | BAD[number // 20 % len(BAD)]
    process = shop.begin(DYING)
    held, _ = process.communicate(json.dumps({"prices": rows}), timeout=60)
    assert process.returncode == 99
    for transaction in held.split():
        # Firestore takes the locks of a dead client away after a while; this is that while.
        shop.database._firestore_api.rollback(
            request={
                "database": shop.database._database_string,
                "transaction": bytes.fromhex(transaction),
            }
        )
    before = points_stored(shop, ids)
    assert 0 < before < 9500
    told = send(shop, rows)
    assert counts(told) == (9500 - before, before, 0, 500)
    named = [each["row"] for each in told["verdicts"] if each["verdict"] == "rejected"]
    assert named == list(range(1, 10_001, 20))
    assert points_stored(shop, ids) == 9500
    assert counts(send(shop, rows)) == (0, 9500, 0, 500)
    assert points_stored(shop, ids) == 9500
    shop.stack.control.reset_events()


def test_the_dashboard_grows_no_older_than_a_night(shop: Shop) -> None:
    before = shop.get("/api/prices/analytics")["as_of"] or ""
    assert shop.call_private("renew_price_analytics").is_success
    eventually(
        lambda: (shop.get("/api/prices/analytics")["as_of"] or "") > before,
        timeout_seconds=WORK_SECONDS,
    )
