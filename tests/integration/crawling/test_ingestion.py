"""What follows a crawl: prices, proposals, prices that are kept apart, one message."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from shared.clients import slack
from shared.crawling.ingestion import pages, running
from shared.crawling.results import Row
from shared.edge.request import Actor
from shared.errors import Conflict, DependencyTimeout
from tests.integration.crawling.ingestion_support import (
    CATEGORY,
    RETAILER,
    ended,
    found,
    ingest,
    now,
    stored,
)
from tests.integration.edge.instance import instance
from tests.integration.products.support import READS, Json, Shop, good
from tests.integration.system.conftest import Objects
from tests.polling import eventually

RESULTS, QUARANTINE = "/api/crawler/results", "/api/crawler/quarantine"
# Takes in pages of two rows.
IN_PAGES = """
import sys
from shared.crawling.ingestion import pages, running
from shared.edge.request import Actor
pages.PAGE_ROWS = 2
running.ingest(sys.argv[1], Actor("drill", "", "crawl.ingested", "", ""))
"""
# Takes in one row a page; between the first and the second a younger crawl of the same ends and is
# taken in.
OVERTAKEN = """
import sys
from datetime import datetime
from shared.crawling import job_store
from shared.crawling.ingestion import pages, running
from shared.edge.request import Actor
by = Actor("drill", "", "crawl.ingested", "", "")
pages.PAGE_ROWS = 1
page, done = running._take_in_page, []
def once(*arguments):
    done.append(1)
    if len(done) == 2:
        ended = {"finished_at": datetime.fromisoformat(sys.argv[3])}
        job_store.reference(sys.argv[2]).update(ended)
        running.ingest(sys.argv[2], by)
    return page(*arguments)
running._take_in_page = once
running.ingest(sys.argv[1], by)
"""


@pytest.fixture(scope="module")
def objects(shop: Shop) -> Objects:
    return Objects(shop.stack)


@pytest.fixture(autouse=True)
def empty(shop: Shop) -> Iterator[None]:
    """Empty but for its sessions, without triggers, and Slack's sink emptied."""
    shop.clear_documents()
    shop.stack.control.empty_sink()
    yield
    shop.stack.control.empty_sink()


def crawled(shop: Shop, objects: Objects, job_id: str, *rows: Row, **more: Any) -> None:
    """A job that ended now with these rows; nobody has heard of it yet."""
    at = more.pop("at", None) or now()
    stored(objects, job_id, rows, at=at)
    shop.database.document(f"crawl_jobs/{job_id}").set(ended(job_id, at=at, **more))


def listed(shop: Shop) -> dict[str, Json]:
    """The retailer's products by name."""
    told = shop.get("/api/products", retailer=RETAILER, limit=100)["products"]
    return {each["name"]: each for each in told}


def known(shop: Shop, *rows: Json) -> dict[str, Json]:
    shop.upload([{"retailer": RETAILER, **each} for each in rows])
    return listed(shop)


def history(shop: Shop, product_id: str) -> list[tuple[float, str]]:
    told = shop.get(f"/api/prices/history/{product_id}")["points"]
    return [(each["price"], each["source"]) for each in told]


def messages(shop: Shop) -> list[str]:
    taken = shop.stack.control.taken()
    return [each["text"] for each in reversed(taken) if each["status"] < 300]


def test_rows_become_prices_and_proposals_once_however_often_the_end_is_told(
    shop: Shop, objects: Objects
) -> None:
    shop.stack.control.disturb_events(copies=3, delay_seconds=0.3)
    before = known(
        shop,
        {"name": "By Page", "price": 100, "url": "http://www.corner.example/p/1/?utm_source=x"},
        {"name": "By Number", "price": 100, "retailer_sku": "C2"},
        {"name": "Zesta Gold Blend Ceylon Tea 400g", "price": 700, "brand": "Zesta"},
        {
            "name": "Same Price",
            "price": 100,
            "retailer_sku": "C4",
            "url": "https://corner.example/p/4",
        },
        {"name": "Far Off", "price": 100, "retailer_sku": "C5"},
    )
    shop.settle()
    rows = [
        found(1, 12_000, name="Other Words"),
        found(2, 9_000, name="By Number"),
        found(3, 75_000, name="Zesta Ceylon Tea Gold Blend 400 g", brand="Zesta", sku=None),
        found(4, name="Same Price"),
        found(5, 1_000, name="Far Off"),
        found(6, 34_500, name="Brand New"),
        found(7, 0, name="For Nothing"),
        found(8, name=""),
    ]
    crawled(shop, objects, "job-1", *rows)
    shop.idle()

    after = listed(shop)
    assert {name: each["price"] for name, each in after.items()} == {
        "By Page": 120,
        "By Number": 90,
        "Zesta Gold Blend Ceylon Tea 400g": 750,
        "Same Price": 100,
        "Far Off": 100,
    }
    assert {each["id"] for each in after.values()} == {each["id"] for each in before.values()}
    assert history(shop, after["By Page"]["id"]) == [(100, "crawler"), (120, "crawler")]
    assert history(shop, after["Same Price"]["id"]) == [(100, "crawler")]
    assert history(shop, after["Far Off"]["id"]) == []
    pending = shop.get("/api/products/pending", kind="new")["pending"]
    assert [(p["product"]["name"], p["product"]["price"]) for p in pending] == [("Brand New", 345)]
    held = {q["product"]["name"]: q for q in shop.get(QUARANTINE)["quarantined"]}
    assert held.keys() == {"Far Off", "For Nothing"}
    assert held["Far Off"]["reason"] == "is less than the usual 100.00 LKR divided by 5"
    (result,) = shop.get(RESULTS)["results"]
    told = ("new", "changed", "unchanged", "quarantined", "failed", "ingestion", "rows")
    assert [result[name] for name in told] == [1, 3, 1, 2, 1, "done", 8]
    assert result["refused"] == ["Row 8: name is required"]
    (message,) = messages(shop)
    assert "1 new, 3 changed, 1 unchanged, 2 quarantined, 1 failed." in message
    assert "#/results|" in message
    assert shop.documents("outbox") == {}
    assert shop.documents("dead_letters") == {}

    versions = {name: each["version"] for name, each in after.items()}
    ingest(shop, "job-1")
    shop.stack.control.disturb_events(drop=True)
    crawled(shop, objects, "job-2", *rows[:4], found(6, 34_500, name="Brand New"))
    ingest(shop, "job-2")
    assert {name: each["version"] for name, each in listed(shop).items()} == versions
    assert [r["unchanged"] for r in shop.get(RESULTS)["results"]] == [5, 1]
    assert len(messages(shop)) == 2
    assert len(shop.documents("products")) == 6


def test_killed_between_pages_it_goes_on_and_an_older_crawl_changes_no_price_of_now(
    shop: Shop, objects: Objects
) -> None:
    known(shop, {"name": "Priced", "price": 100, "retailer_sku": "C1"})
    crawled(shop, objects, "job-a", *(found(number) for number in range(2, 7)))
    shop.cut_off("shared.crawling.ingestion.running", "_take_in_page", 1, IN_PAGES, "job-a")
    half = shop.database.document("crawl_ingestions/job-a").get().to_dict()
    assert half is not None
    assert (half["status"], half["counts"]["new"]) == ("running", 2)
    refused = shop.http.delete(f"{RESULTS}/job-a")
    assert refused.status_code == 409, refused.text
    # Nobody calls the task again but the sweep, which finds the debt.
    owed = shop.database.document("outbox/crawl_ingestion-job-a")
    owed.update({"at": now() - timedelta(minutes=1)})
    assert shop.call_private("sweep_outbox").is_success
    shop.idle()
    (result,) = shop.get(RESULTS)["results"]
    assert (result["ingestion"], result["new"]) == ("done", 5)
    assert not owed.get().exists
    assert len(shop.documents("products")) == 6
    assert len(messages(shop)) == 1

    moment = now()
    crawled(shop, objects, "job-new", found(1, 12_000, name="Priced"), at=moment)
    ingest(shop, "job-new")
    earlier = moment - timedelta(hours=5)
    crawled(shop, objects, "job-old", found(1, 11_000, name="Priced"), at=earlier)
    ingest(shop, "job-old")
    assert listed(shop)["Priced"]["price"] == 120


def test_a_crawl_that_is_overtaken_between_its_pages_changes_no_price_of_now(
    shop: Shop, objects: Objects
) -> None:
    seen_at_its_price(shop, objects)
    crawled(shop, objects, "older", found(2), found(1, 11_000, name="Priced"))
    at = now()
    crawled(shop, objects, "younger", found(1, 10_000, name="Priced"), at=at)
    shop.database.document("crawl_jobs/younger").update({"finished_at": None})
    shop.run(OVERTAKEN, "older", "younger", at.isoformat())
    stages = {r["job_id"]: r["ingestion"] for r in shop.get(RESULTS)["results"]}
    assert stages == {"first": "done", "older": "done", "younger": "done"}
    assert listed(shop)["Priced"]["price"] == 100


def test_what_one_task_has_no_time_for_the_next_one_does(
    shop: Shop, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    crawled(shop, objects, "long", *(found(number) for number in range(1, 6)))
    asked: list[str] = []
    monkeypatch.setattr(pages, "PAGE_ROWS", 2)
    monkeypatch.setattr(running, "request", lambda _, name: asked.append(name))
    with instance(shop.stack.environment()):
        for _ in range(3):
            running.ingest("long", Actor("drill", "", "crawl.ingested", "", ""), run_seconds=0)
    assert asked == ["long-2", "long-4"]
    (result,) = shop.get(RESULTS)["results"]
    assert (result["ingestion"], result["new"]) == ("done", 5)


@pytest.mark.drill
def test_ends_of_many_jobs_told_twice_and_in_any_order_are_taken_in_once(
    shop: Shop, objects: Objects
) -> None:
    shop.stack.control.disturb_events(copies=3, delay_seconds=1.5)
    product = known(shop, {"name": "Priced", "price": 100, "retailer_sku": "C1"})["Priced"]["id"]
    shop.settle()
    # Each sees the product at another price, and something of its own.
    prices = {f"job-{number}": 10_000 + number * 100 for number in range(1, 4)}
    for number, (job_id, price_minor) in enumerate(prices.items(), 1):
        own = found(100 + number, name=f"Own{number} Alone{number}")
        crawled(shop, objects, job_id, found(1, price_minor, name="Priced"), own)
    # Two that meet at the product wait for one another, and may have to come again.
    eventually(lambda: len(messages(shop)) >= len(prices), timeout_seconds=180)
    shop.settle()

    results = {r["job_id"]: r for r in shop.get(RESULTS)["results"]}
    told = ("ingestion", "rows", "new", "changed")
    assert all([results[i][name] for name in told] == ["done", 2, 1, 1] for i in prices)
    pending = shop.get("/api/products/pending", kind="new")["pending"]
    names = [each["product"]["name"] for each in pending]
    assert sorted(names) == [f"Own{number} Alone{number}" for number in range(1, 4)]
    # The youngest has the last word, whichever was taken in last.
    assert listed(shop)["Priced"]["price"] == 103
    points = shop.get(f"/api/prices/history/{product}")["points"]
    assert {each["price"] for each in points} == set(range(100, 104))
    assert len({each["timestamp"] for each in points}) == len(points)
    assert len(messages(shop)) == len(prices)
    assert (shop.documents("outbox"), shop.documents("dead_letters")) == ({}, {})


def test_two_tasks_of_one_job_at_the_same_moment_take_it_in_once(
    shop: Shop, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    crawled(shop, objects, "twice", *(found(number) for number in range(1, 6)))
    page, both = running._take_in_page, threading.Barrier(2)
    met: list[int] = []

    def take_in_page(*given: Any) -> None:
        if len(met) < both.parties:
            met.append(given[1][0][0])
            both.wait(60)
        page(*given)

    monkeypatch.setattr(pages, "PAGE_ROWS", 2)
    monkeypatch.setattr(running, "_take_in_page", take_in_page)

    def task(_: int) -> None:
        # Who meets the other one in the database comes again.
        with suppress(Conflict):
            running.ingest("twice", Actor("drill", "", "crawl.ingested", "", ""))

    with instance(shop.stack.environment()), ThreadPoolExecutor(2) as pool:
        list(pool.map(task, range(2)))
    # Both were about to take in the first page.
    assert met == [1, 1]
    ingest(shop, "twice")
    (result,) = shop.get(RESULTS)["results"]
    assert [result[name] for name in ("ingestion", "rows", "new")] == ["done", 5, 5]
    assert len(shop.documents("products")) == 5
    assert len(messages(shop)) == 1


def test_a_price_that_cannot_be_the_packs_waits_with_its_reason_and_is_in_no_history(
    shop: Shop, objects: Objects
) -> None:
    pack = {"price": 450, "size": "5 kg"}
    rows = {
        "is the price of kg": found(1, 9_000, size="5 kg", unit="kg", unit_price_minor=9_000),
        "seems to be the price of kg": found(
            2, 9_050, size="5 kg", unit="kg", unit_price_minor=9_000
        ),
        "is in EUR, the product's currency is LKR": found(3, 45_000, currency="EUR"),
        "is more than 5 times the usual 450.00 LKR": found(4, 225_001),
        "is less than the usual 450.00 LKR divided by 5": found(5, 8_999),
    }
    before = known(
        shop,
        *({"name": row.name, "retailer_sku": row.sku, **pack} for row in rows.values()),
    )
    crawled(
        shop,
        objects,
        "job",
        *rows.values(),
        found(6, 9_000, unit="kg", size="2 kg", unit_price_minor=4_500),
    )
    ingest(shop, "job")
    held = shop.get(QUARANTINE)["quarantined"]
    reasons = {q["product"]["name"]: q["reason"] for q in held}
    assert reasons == {row.name: reason for reason, row in rows.items()}
    assert {q["previous_price"] for q in held} == {450}
    assert {q["product"]["id"] for q in held} == {each["id"] for each in before.values()}
    record_owed_prices(shop)
    after = listed(shop)
    assert {name: after[name]["price"] for name in before} == dict.fromkeys(before, 450)
    assert [history(shop, each["id"]) for each in before.values()] == [[]] * len(rows)
    (result,) = shop.get(RESULTS)["results"]
    assert (result["quarantined"], result["new"]) == (5, 1)


def test_a_price_released_after_a_merge_is_the_merged_products_too(
    shop: Shop, objects: Objects
) -> None:
    rows = [
        {"name": "Zesta Gold 400g", "price": 100, "retailer_sku": "C1"},
        {"name": "Zesta Gold Tea 400g", "price": 110, "retailer": "harbour"},
    ]
    offer = known(shop, *rows)["Zesta Gold 400g"]["id"]
    (survivor,) = shop.get("/api/products", retailer="harbour")["products"]
    crawled(shop, objects, "job", found(1, 90_000, name="Zesta Gold 400g"))
    ingest(shop, "job")
    merge = {"primary_id": survivor["id"], "duplicate_ids": [offer]}
    merged = good(shop.http.post("/api/products/merge", json=merge))
    assert decide_on(shop, "job-1", "release")[0] == 200
    record_owed_prices(shop)

    # The survivor's history at the crawled retailer is the offer's, which is still its own.
    told = shop.get(f"/api/prices/history/{survivor['id']}", retailer=RETAILER)["points"]
    assert [each["price"] for each in told] == [100, 900]
    assert history(shop, offer) == [(100, "crawler"), (900, "crawler")]
    group_id = merged["group_id"]
    (kept,) = shop.get("/api/products", retailer="harbour")["products"]
    assert (kept["price"], kept["group_id"], kept["primary"]) == (110, group_id, True)
    after = listed(shop)["Zesta Gold 400g"]
    assert (after["price"], after["group_id"], after["primary"]) == (900, group_id, False)
    assert history(shop, survivor["id"]) == []


def test_a_price_that_is_released_late_gives_way_to_what_a_younger_crawl_saw(
    shop: Shop, objects: Objects
) -> None:
    seen_at_its_price(shop, objects)
    crawled(shop, objects, "older", found(1, 90_000, name="Priced"))
    ingest(shop, "older")
    crawled(shop, objects, "younger", found(1, 10_000, name="Priced"))
    ingest(shop, "younger")
    answer = shop.http.post(f"{QUARANTINE}/older-1", json={"decision": "release"})
    assert answer.json()["status"] == "released"
    assert listed(shop)["Priced"]["price"] == 100
    # It was true then, so its history has it.
    record_owed_prices(shop)
    assert (900, "crawler") in history(shop, listed(shop)["Priced"]["id"])


def test_a_row_costs_few_reads_whatever_is_known_of_it(shop: Shop, objects: Objects) -> None:
    rows = [found(number) for number in range(1, 21)]
    crawled(shop, objects, "first", *rows)
    ingest(shop, "first")
    batch = shop.database.batch()
    for each in shop.database.collection("products").stream():
        batch.update(each.reference, {"status": "active", "listed": True})
    batch.commit()
    costs = {}
    for job_id, price_minor in (("same", 10_000), ("moved", 11_000)):
        crawled(shop, objects, job_id, *(found(n, price_minor) for n in range(1, 21)))
        answer = shop.call_private("ingest_crawl", {"job_id": job_id})
        costs[job_id] = int(answer.headers[READS])
    # Three identities, product and proposal; two months more, and a dozen for the whole.
    assert costs["same"] <= 20 * 5 + 15
    assert costs["moved"] <= 20 * 8 + 15


def test_a_persons_word_on_a_price_is_kept_once(shop: Shop, objects: Objects) -> None:
    known(shop, {"name": "Far Off", "price": 100, "retailer_sku": "C1"})
    rows = (
        found(1, 90_000, name="Far Off"),
        found(2, 0, name="Free"),
        found(3, name="Odd", currency="XYZ"),
    )
    crawled(shop, objects, "job", *rows)
    ingest(shop, "job")

    def decide(number: int, decision: str) -> tuple[int, Json]:
        return decide_on(shop, f"job-{number}", decision)

    assert decide(1, "release")[1]["status"] == "released"
    assert listed(shop)["Far Off"]["price"] == 900
    code, again = decide(1, "release")
    assert (code, again["version"]) == (200, 2)
    assert decide(1, "discard")[0] == 409
    assert decide(2, "release")[0] == 409
    assert decide(2, "discard")[1]["status"] == decide(2, "discard")[1]["status"] == "discarded"
    assert decide(3, "release")[0] == 409
    shop.stack.control.reset_events()
    record_owed_prices(shop)
    product = listed(shop)["Far Off"]["id"]
    assert history(shop, product) == [(100, "crawler"), (900, "crawler")]
    words = [e["resource"] for e in shop.documents("audit_logs").values()]
    assert sorted(w for w in words if w.startswith("crawl_quarantine/")) == [
        "crawl_quarantine/job-1",
        "crawl_quarantine/job-2",
    ]
    assert [q["id"] for q in shop.get(QUARANTINE)["quarantined"]] == ["job-3"]
    (discarded,) = shop.get(QUARANTINE, status="discarded")["quarantined"]
    assert (discarded["product"]["id"], discarded["price"]) == (None, 0)
    assert len(shop.documents("products")) == 1
    # Of a product that is gone by then it can become no price any more.
    crawled(shop, objects, "later", found(1, 9_000_000, name="Far Off"))
    ingest(shop, "later")
    assert shop.http.delete(f"/api/products/{product}").is_success
    code, told = decide_on(shop, "later-1", "release")
    assert (code, "can only be discarded" in told["detail"]) == (409, True)


def decide_on(shop: Shop, entry_id: str, decision: str) -> tuple[int, Json]:
    answer = shop.http.post(f"{QUARANTINE}/{entry_id}", json={"decision": decision})
    return answer.status_code, answer.json()


def record_owed_prices(shop: Shop) -> None:
    for owed in shop.documents("outbox").values():
        if owed["kind"] == "product_price":
            good_call(shop, "record_prices", {"change_id": owed["id"]})


def seen_at_its_price(shop: Shop, objects: Objects) -> None:
    """A product whose history has its price, so that who sees it again adds no point."""
    known(shop, {"name": "Priced", "price": 100, "retailer_sku": "C1"})
    crawled(shop, objects, "first", found(1, 10_000, name="Priced"))
    ingest(shop, "first")
    record_owed_prices(shop)
    assert history(shop, listed(shop)["Priced"]["id"]) == [(100, "crawler")]


def good_call(shop: Shop, function: str, body: Json) -> None:
    assert shop.call_private(function, body).status_code == 204


def test_results_are_listed_with_links_and_removed_with_all_that_pods_left(
    shop: Shop, objects: Objects
) -> None:
    stored(objects, "kept", [found(9)], token=1, at=now())
    at = now()
    stored(objects, "kept", [found(1)], token=2, at=at)
    shop.database.document("crawl_jobs/kept").set(ended("kept", token=2, at=at))
    ingest(shop, "kept")
    crawled(shop, objects, "other", found(2))
    ingest(shop, "other")
    # What a superseded pod left is gone as soon as the rows are taken in.
    names = objects.names("crawls/kept/")
    assert {name.split("/")[2] for name in names} == {f"{2:012d}"}
    page = shop.get(RESULTS, retailer=RETAILER, limit=1)
    assert [each["job_id"] for each in page["results"]] == ["other"]
    page = shop.get(RESULTS, retailer=RETAILER, limit=1, cursor=page["next_cursor"])
    (result,) = page["results"]
    assert (result["job_id"], result["category"], result["size_bytes"] > 0) == (
        "kept",
        CATEGORY,
        True,
    )
    assert shop.http.get(result["link"], headers={"Cookie": ""}).content.startswith(b"\x1f\x8b")
    assert shop.http.delete(f"{RESULTS}/kept").is_success
    assert objects.names("crawls/kept/") == set()
    assert [each["job_id"] for each in shop.get(RESULTS)["results"]] == ["other"]
    # What a call that was cut off left in Storage, the same call removes.
    stored(objects, "kept", [found(1)], token=2, at=at)
    assert shop.http.delete(f"{RESULTS}/kept").status_code == 404
    assert objects.names("crawls/kept/") == set()
    # A late event brings nothing back.
    assert ingest(shop, "kept")["status"] == "removed"
    assert len(shop.documents("products")) == 2


def test_what_cannot_be_taken_in_is_told_once(shop: Shop, objects: Objects) -> None:
    why = "the pod was lost <!>"
    crawled(shop, objects, "lost", found(1), status="failed", manifest=None, error=why)
    crawled(shop, objects, "torn", found(1))
    crawled(shop, objects, "astray", found(1), manifest="crawls/astray/none.json")
    (rows,) = [name for name in objects.names("crawls/torn/") if "rows-" in name]
    objects.put(rows, b"other")
    # A pod that was taken over names what its crawl did not bring, and wants a link to it.
    crawled(shop, objects, "foreign", found(1))
    (rows,) = [name for name in objects.names("crawls/foreign/") if "rows-" in name]
    manifest = rows.rpartition("/")[0] + "/manifest.json"
    told = objects.read(manifest).replace(rows.encode(), b"exports/nightly/2026-03-01/users")
    objects.put(manifest, told)
    for job_id in ("lost", "torn", "astray", "foreign") * 2:
        ingest(shop, job_id)
    lost, torn, astray, foreign = messages(shop)
    assert "failed" in lost
    assert "the pod was lost &lt;!&gt;" in lost
    assert "checksum" in torn
    assert "manifest is not in Storage" in astray
    assert "do not lie beside it" in foreign
    assert shop.documents("products") == {}
    stages = {r["job_id"]: (r["ingestion"], r["rows"]) for r in shop.get(RESULTS)["results"]}
    assert stages == {
        "lost": ("done", None),
        "torn": ("failed", 1),
        "astray": ("failed", None),
        "foreign": ("failed", None),
    }
    assert {r["link"] for r in shop.get(RESULTS)["results"] if r["job_id"] != "torn"} == {None}
    assert shop.documents("outbox") == {}


def too_late(_: str) -> bool:
    raise DependencyTimeout("no answer")


def test_slack_that_is_away_is_told_later_and_one_that_refuses_is_left_alone(
    shop: Shop, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    crawled(shop, objects, "job", found(1))
    shop.stack.control.disturb_sink(status=500, times=1)
    assert shop.call_private("ingest_crawl", {"job_id": "job"}).status_code == 503
    shop.stack.control.empty_sink()
    ingest(shop, "job")
    assert len(messages(shop)) == 1
    # Who did not answer in time may have read it: only then the next message says so.
    assert "second time" not in messages(shop)[0]
    crawled(shop, objects, "slow", found(3))
    with instance(shop.stack.environment()), monkeypatch.context() as slow:
        slow.setattr(slack, "post", too_late)
        with pytest.raises(DependencyTimeout):
            running.ingest("slow", Actor("drill", "", "crawl.ingested", "", ""))
    ingest(shop, "slow")
    assert "second time" in messages(shop)[1]
    crawled(shop, objects, "refused", found(2))
    shop.stack.control.disturb_sink(status=404, times=2)
    assert shop.call_private("ingest_crawl", {"job_id": "refused"}).status_code == 204
    assert len(shop.documents("dead_letters")) == 1
    (told,) = [i for j, i in shop.documents("crawl_ingestions").items() if j == "refused"]
    assert (told["status"], told["told"]) == ("done", "failed")
    assert shop.documents("outbox").keys() & {"crawl_ingestion-refused"} == set()
