"""Batches as an admin meets them, and what each worker may and may not change."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest

from shared.ai_models import Model
from shared.classification import (
    batch_store,
    batch_sweep,
    batch_work,
    batches,
    deciding,
    deciding_work,
    reviews,
    spending,
    spent,
)
from shared.classification.batch_progress import LATEST, STILL
from shared.classification.spending import Reservation, Spent
from shared.clients import firestore
from shared.clock import utc_now
from shared.errors import NotFound
from tests.integration.edge.instance import instance
from tests.integration.products.support import READS, WRITES, Json, Shop, row, word
from tests.polling import eventually

LOCAL = {"provider": "local"}
TEA, MILK = {"name": "Ceylon Tea 100g", "id": "one", "price": 450}, {"name": "Fresh Milk 1 l"}


@pytest.fixture
def paused(shop: Shop) -> Iterator[Shop]:
    """Batches whose work nobody begins by itself."""
    queue(shop, "pause")
    yield shop
    queue(shop, "resume")


@pytest.fixture
def acting(paused: Shop) -> Iterator[Shop]:
    """This process as an instance of the task's function, and the only one."""
    with instance(paused.stack.environment()):
        batch_work._kept.clear()
        yield paused


@pytest.fixture
def spending_all(acting: Shop) -> Iterator[Shop]:
    """Whose books are empty again afterwards: other tests have calls to make today."""
    yield acting
    spending._full.clear()
    for collection in (spending.CALLS, spending.DAYS):
        for each in acting.database.collection(collection).list_documents():
            each.delete()


def queue(shop: Shop, what: str) -> None:
    from scheduler import cloud_queues

    with instance(shop.stack.environment()):
        getattr(cloud_queues, f"{what}_queue")(batches.QUEUE)


def begin(shop: Shop, **body: Any) -> str:
    answered = shop.http.post("/classify-batch", json=LOCAL | body)
    assert answered.status_code == 202, answered.text
    assert answered.json()["status"] == "queued"
    return str(answered.json()["batch_id"])


def done(shop: Shop, batch_id: str) -> Json:
    def reached() -> Json | None:
        told = shop.get(f"/classify-batch/{batch_id}")
        return told if told["status"] == "done" else None

    return eventually(reached)


def items(shop: Shop, batch_id: str, **query: Any) -> list[Json]:
    return list(shop.get(f"/classify-batch/{batch_id}/items", **query)["items"])


def test_products_are_classified_in_their_order_and_the_unsure_wait_for_a_person(
    shop: Shop,
) -> None:
    batch_id = begin(shop, products=[TEA, MILK, {"name": "?"}])
    told = done(shop, batch_id)
    counts = [told[name] for name in ("total", "done", "successful", "failed", "review")]
    assert counts[:2] == [3, 3]
    assert counts[2] + counts[3] + counts[4] == 3
    assert (told["cost"], told["calls"]) == (0, 0)
    assert told["created_at"] <= told["started_at"] <= told["finished_at"]
    assert shop.get("/classify-batch")["batches"][0] == told

    found = items(shop, batch_id)
    assert [each["index"] for each in found] == [0, 1, 2]
    assert found[0]["product"] == {"id": "one", "name": TEA["name"]}
    assert [each["category"] for each in found[:2]] == ["tea", "milk"]
    assert found[2]["verdict"] == "review"
    assert found[2]["review_id"] == f"{batch_id}-2"
    entry = shop.database.collection(reviews.COLLECTION).document(f"{batch_id}-2").get()
    assert entry.get("status") == "open"
    first = shop.get(f"/classify-batch/{batch_id}/items", limit=1)
    rest = items(shop, batch_id, cursor=first["next_cursor"])
    assert [*first["items"], *rest] == found
    unsure = items(shop, batch_id, verdict="review")
    assert unsure == [each for each in found if each["verdict"] == "review"]


def test_products_come_from_the_catalogue_by_id_or_by_filter(shop: Shop) -> None:
    shop.upload([row(number, retailer="batched", size="400 g") for number in range(3)])
    shop.upload([row(number, retailer="other") for number in range(3, 5)])
    listed = shop.get("/api/products", retailer="batched")["products"]
    known = {each["id"]: each["name"] for each in listed}

    by_filter = items(shop, done_id(shop, filter={"retailer": "batched"}))
    assert {each["product"]["id"]: each["product"]["name"] for each in by_filter} == known
    some = sorted(known)[:2]
    by_id = items(shop, done_id(shop, product_ids=[*some, some[0]]))
    assert [each["product"]["id"] for each in by_id] == some
    with instance(shop.stack.environment()):
        placed = firestore.client().collection_group(batch_store.ITEMS).stream()
        stored_of = [item for each in placed for item in each.get("items")]
    sizes = [each.get("size") for each in stored_of if each.get("id") in known]
    assert sizes == ["400 g"] * (len(known) + len(some))
    # A batch changes no product: a person does.
    after = shop.get("/api/products", retailer="batched")["products"]
    assert after == listed


def done_id(shop: Shop, **body: Any) -> str:
    batch_id = begin(shop, **body)
    done(shop, batch_id)
    return batch_id


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({}, "products"),
        ({"products": [TEA], "filter": {}}, "filter"),
        ({"product_ids": ["nobody0knows"]}, "product_ids[0]"),
        ({"filter": {"retailer": "sells-nothing"}}, "filter"),
        ({"filter": {"colour": "red"}}, "filter.colour"),
        ({"products": [TEA] * 10_001}, "products"),
        ({"products": [TEA], "model": "gpt-0"}, "model"),
    ],
)
def test_what_is_no_batch_is_refused_and_nothing_is_begun(
    shop: Shop, wrong: Json, field: str
) -> None:
    before = shop.get("/classify-batch")
    answered = shop.http.post("/classify-batch", json=LOCAL | wrong)
    assert answered.status_code == 422, answered.text
    assert answered.json()["errors"][0]["field"] == field
    assert shop.get("/classify-batch") == before


def test_the_list_pages_through_what_began_at_one_moment(shop: Shop) -> None:
    ids = [done_id(shop, products=[TEA]) for _ in range(3)]
    stored = [shop.database.collection(batch_store.COLLECTION).document(each) for each in ids]
    newest = stored[-1].get().get("created_at")
    for document in stored:
        document.update({"created_at": newest})
    told, cursor = list[str](), dict[str, str]()
    for _ in ids:
        page = shop.get("/classify-batch", limit=1, **cursor)
        told += [each["batch_id"] for each in page["batches"]]
        cursor = {"cursor": page["next_cursor"]}
    assert told == sorted(ids, reverse=True)


def test_what_was_not_begun_is_cancelled_at_once(paused: Shop) -> None:
    batch_id = begin(paused, products=[TEA])
    cancelled = paused.http.post(f"/classify-batch/{batch_id}/cancel", json={}).json()
    assert cancelled["status"] == "cancelled"
    with instance(paused.stack.environment()):
        batch_work.work(batch_id, 0)
    assert paused.get(f"/classify-batch/{batch_id}")["done"] == 0
    assert items(paused, batch_id) == []


def test_what_was_begun_ends_and_then_the_batch_is_cancelled(acting: Shop) -> None:
    batch_id = begin(acting, products=distinct(40))
    with held(batch_id, 0) as go_on:
        cancelled = acting.http.post(f"/classify-batch/{batch_id}/cancel", json={}).json()
        assert cancelled["status"] == "cancelling"
        batch_work.work(batch_id, 1)
        go_on()
    batch_sweep.sweep()
    assert acting.get(f"/classify-batch/{batch_id}")["status"] == "cancelling"
    late = utc_now() + LATEST + timedelta(seconds=1)
    batch_sweep.sweep(lambda: late)
    told = acting.get(f"/classify-batch/{batch_id}")
    assert (told["status"], told["done"], told["total"]) == ("cancelled", 20, 40)


def test_a_worker_that_comes_late_changes_nothing_that_is_settled(acting: Shop) -> None:
    batch_id = begin(acting, products=distinct(20))
    with held(batch_id, 0) as go_on:
        with spending.made_for(batch_id):
            call = spending.reserve(Model("gemini", "model", 1, 1), 1000)
        batch_work.give_up(batch_id, 0)
        before = stored(batch_id)
        # What it has cost counts all the same, though the batch was over before.
        assert spending.settle(call, 700)
        assert acting.get(f"/classify-batch/{batch_id}")["cost"] == 0
        go_on()
    assert stored(batch_id) == before
    told = acting.get(f"/classify-batch/{batch_id}")
    assert (told["status"], told["done"], told["failed"]) == ("done", 20, 20)
    assert (told["calls"], told["cost"]) == (1, 0.0007)
    assert items(acting, batch_id)[0]["failure"] == batch_work.GIVEN_UP
    # Nor does one that comes again.
    batch_work.work(batch_id, 0)
    assert stored(batch_id) == before


def test_of_two_workers_the_first_settles_each_item(acting: Shop) -> None:
    batch_id = begin(acting, products=distinct(20))
    batch, _ = batch_store.read(batch_id)
    placed = batch_store.items(batch_id, 0)
    settled = [(each, deciding_work.failed(each.index, batch_work.GIVEN_UP)) for each in placed]
    batch_store.settle(batch, 0, settled[:5], utc_now())
    before = stored(batch_id)
    batch_store.settle(batch, 0, settled, utc_now() + timedelta(seconds=1))
    after = stored(batch_id)
    # Each with its entry in the queue of reviews.
    assert len(after) == 2 * 20
    assert {name: after[name] for name in before} == before


def test_a_batch_that_stands_still_goes_on(acting: Shop) -> None:
    batch_id = begin(acting, products=distinct(40))
    batch_work.work(batch_id, 0)
    pending = {each["name"]: each for each in acting.stack.control.tasks()["queues"]}
    before = pending[batches.QUEUE]["pending"]
    batch_sweep.sweep()
    late = utc_now() + STILL + timedelta(seconds=1)
    batch_sweep.sweep(lambda: late)
    batch_work.spread(batch_id)
    pending = {each["name"]: each for each in acting.stack.control.tasks()["queues"]}
    # One to spread it, and one for the part that is left.
    assert pending[batches.QUEUE]["pending"] == before + 2
    queue(acting, "resume")
    assert done(acting, batch_id)["done"] == 40


def test_a_part_costs_few_reads(paused: Shop) -> None:
    batch_id = begin(paused, products=distinct(100))
    answers = [
        paused.call_private("classify_chunk", {"batch_id": batch_id, "part": part})
        for part in range(5)
    ]
    assert all(each.is_success for each in answers)
    # One of them has found the categories and the settings known.
    assert min(int(each.headers[READS]) for each in answers) <= 8
    # The results, a review for each at most, and the batch.
    assert max(int(each.headers[WRITES]) for each in answers) <= 2 * 20 + 2
    assert done(paused, batch_id)["done"] == 100


def test_an_unknown_batch_is_absent(acting: Shop) -> None:
    assert acting.http.get("/classify-batch/nobody").status_code == 404
    assert acting.http.get("/classify-batch/nobody/items").status_code == 404
    assert acting.http.post("/classify-batch/nobody/cancel", json={}).status_code == 404
    with pytest.raises(NotFound):
        batch_work.work("nobody", 0)
    batch_work.give_up("nobody", 0)


def test_a_day_costs_no_more_than_its_budget_and_what_died_is_paid_in_full(
    spending_all: Shop,
) -> None:
    limit = spending.limit_of("groq")
    model = Model("groq", "model", 1, 1)
    fifth = limit // spending.SHARDS // 5

    def reserve(_: int = 0) -> Reservation | None:
        with spending.made_for("drill"), suppress(Spent):
            return spending.reserve(model, fifth)
        return None

    with ThreadPoolExecutor(24) as pool:
        held_calls = [each for each in pool.map(reserve, range(24)) if each is not None]
    assert len(held_calls) == 5 * spending.SHARDS
    assert reserve() is None
    spending._full.clear()
    # Of what is given back nothing is left but the room for another.
    spending.release(held_calls.pop())
    again = reserve()
    assert again is not None
    held_calls.append(again)
    assert reserve() is None
    spending._full.clear()
    assert spending.settle(held_calls[0], 1)
    assert not spending.settle(held_calls[0], fifth)
    spending.reserve(model, fifth - 1)
    told = {each["name"]: each for each in spending_all.get("/classify/providers")["providers"]}
    assert told["groq"]["reason"] == "budget"
    assert (told["groq"]["spend_today"], told["groq"]["daily_budget"]) == (0.000001, 10)

    assert spending.sweep() == []
    late = utc_now() + 2 * spending.OPEN
    assert len(spending.sweep(lambda: late)) == 5 * spending.SHARDS
    used = spent.today()["groq"]
    assert used.settled == sum(used.held) == 1 + fifth - 1 + fifth * (5 * spending.SHARDS - 1)
    assert used.settled <= limit
    assert spent.of_origin("drill") == (20, used.settled - (fifth - 1))
    # Of tomorrow nothing is spent.
    tomorrow = utc_now() + timedelta(days=1)
    spending.reserve(model, fifth, lambda: tomorrow)


def distinct(count: int) -> list[Json]:
    return [{"name": f"{word(n)} {word(n + 500_000)}"} for n in range(count)]


def stored(batch_id: str) -> Json:
    found = {each.id: each.to_dict() for each in batch_store.results(batch_id).stream()}
    waiting = firestore.client().collection(reviews.COLLECTION).stream()
    return found | {e.id: e.to_dict() for e in waiting if e.id.startswith(batch_id)}


@contextmanager
def held(batch_id: str, part: int) -> Iterator[Any]:
    """A worker that has its answers and has not written them until it may go on."""
    answered, go_on = Event(), Event()
    decide = deciding.decide_with

    def waiting(*of: Any) -> Any:
        decided = decide(*of)
        answered.set()
        assert go_on.wait(60)
        return decided

    worker = Thread(target=batch_work.work, args=(batch_id, part))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deciding, "decide_with", waiting)
        worker.start()
        assert answered.wait(60)
        patch.undo()
        began = time.monotonic()

        def end() -> None:
            go_on.set()
            worker.join(60)
            assert time.monotonic() - began < 60

        try:
            yield end
        finally:
            end()
