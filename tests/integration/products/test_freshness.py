"""Cached lists are never stale, and Redis may be away."""

import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx
import pytest

from tests import sessions
from tests.integration.products.support import Json, Shop, good, row, signed_in
from tests.polling import eventually

ROUNDS = 1000
# What an absent Redis may add to an answer, at most.
MAY_ADD_SECONDS = 0.5


def change(product: Json, **fields: object) -> Json:
    kept = ("name", "brand", "size", "category", "price", "currency")
    return {name: product[name] for name in kept} | fields


@pytest.fixture(scope="module")
def product(shop: Shop) -> Json:
    shop.upload([row(1)])
    shop.settle()
    found: Json = shop.get("/api/products")["products"][0]
    return found


def test_a_list_is_made_once_and_made_anew_after_a_write(shop: Shop, product: Json) -> None:
    def list_once() -> tuple[str, str]:
        answer = shop.http.get("/api/products", params={"sort": "name"})
        return answer.headers["X-Cache"], answer.json()["products"][0]["brand"]

    shop.settle()
    first, second = list_once(), list_once()
    assert (first[0], second[0]) == ("MISS", "HIT")
    assert first[1] == second[1]
    good(shop.http.put(f"/api/products/{product['id']}", json=change(product, brand="Fresh")))
    assert list_once() == ("MISS", "Fresh")


def test_no_reader_sees_an_old_value_after_the_writers_answer(shop: Shop, product: Json) -> None:
    """Another reader begins with each write, so that it is in flight while the writer writes."""
    shop.stack.control.disturb_events(drop=True)
    answered = [0]
    stale: list[tuple[int, int]] = []
    lists = [0]
    begun = threading.Semaphore(0)

    def read(http: httpx.Client, number: int) -> tuple[int, int]:
        before = answered[0]
        # Another page each round, so that whoever reads while it is written finds none kept.
        answer = http.get("/api/products", params={"limit": 20 + number % 2})
        return before, int(answer.json()["products"][0]["size"] or 0)

    def keep_reading() -> None:
        with closing(signed_in(shop.stack)) as http:
            for number in range(1, ROUNDS + 1):
                begun.acquire()
                before, seen = read(http, number)
                lists[0] += 1
                if seen < before:
                    stale.append((before, seen))

    good(shop.http.put(f"/api/products/{product['id']}", json=change(product, size="0")))
    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(keep_reading)
        try:
            for number in range(1, ROUNDS + 1):
                body = change(product, size=str(number))
                begun.release()
                good(shop.http.put(f"/api/products/{product['id']}", json=body))
                answered[0] = number
                before, seen = read(shop.http, number)
                if seen < before:
                    stale.append((before, seen))
        finally:
            # A round that fails must not leave the reader waiting.
            begun.release(ROUNDS)
        reader.result()
    shop.idle()
    shop.stack.control.reset_events()
    assert lists[0] == ROUNDS
    assert stale == []


PATHS = ("/api/products", "/api/products/stats", "/api/categories", "/api/products?retailer=keells")


def ask_all(shop: Shop) -> tuple[dict[str, Json], dict[str, float]]:
    bodies, seconds = {}, {}
    for path in PATHS:
        started = time.monotonic()
        bodies[path] = good(shop.http.get(path))
        seconds[path] = time.monotonic() - started
    return bodies, seconds


@pytest.fixture(params=["killed", "hanging"])
def without_redis(shop: Shop, request: pytest.FixtureRequest) -> Iterator[str]:
    valkey = shop.stack.part("valkey")
    if request.param == "killed":
        valkey.kill()
    else:
        valkey.pause()
    yield str(request.param)
    valkey.resume()
    valkey.start()
    eventually(lambda: shop.redis("PING") == "PONG", timeout_seconds=10)


@pytest.fixture
def as_delivered(shop: Shop) -> Iterator[None]:
    """Functions that wait for Redis no longer than they do where nothing is set."""
    shop.stack.restart_functions(REDIS_TIMEOUT_SECONDS="")
    yield
    shop.stack.restart_functions()


@pytest.fixture
def usual(shop: Shop, product: Json, as_delivered: None) -> tuple[dict[str, Json], float]:
    """What the lists hold, and how long one takes that no cache can answer."""
    assert product
    assert as_delivered is None
    shop.settle()
    bodies, _ = ask_all(shop)
    times = []
    for number in range(5):
        started = time.monotonic()
        good(shop.http.get("/api/products", params={"limit": 90 + number}))
        times.append(time.monotonic() - started)
    return bodies, statistics.median(times)


@pytest.mark.alone
def test_without_redis_all_answers_are_the_same_and_hardly_later(
    shop: Shop, usual: tuple[dict[str, Json], float], without_redis: str
) -> None:
    bodies, seconds = usual
    for _ in range(3):
        found, took = ask_all(shop)
        assert found == bodies
        slowest = max(took.values())
        print(f"Redis {without_redis}: {slowest:.2f} s at most, {seconds:.2f} s usually")  # noqa: T201
        assert slowest < seconds + MAY_ADD_SECONDS


def test_without_redis_a_write_is_seen_at_once(
    shop: Shop, product: Json, without_redis: str
) -> None:
    size = f"while {without_redis}"
    answer = shop.http.put(f"/api/products/{product['id']}", json=change(product, size=size))
    assert good(answer)["size"] == size
    found = shop.get("/api/products", sort="-updated_at", limit=1)["products"][0]
    assert found["size"] == size


def test_without_redis_sessions_are_checked_all_the_same(shop: Shop, without_redis: str) -> None:
    assert without_redis
    stranger = httpx.get(f"{shop.stack.plan.origin}/api/products", trust_env=False)
    assert stranger.status_code == 401
    forged = sessions.forged(shop.stack, sessions.log_in(shop.stack))
    with sessions.new_client(shop.stack, cookie=forged) as http:
        assert http.get("/api/products").status_code == 401


@pytest.mark.alone
def test_an_upload_is_listed_at_once_and_counted_within_ten_seconds(
    shop: Shop, record_property: Callable[[str, object], None]
) -> None:
    before = shop.get("/api/products/stats")["total"]
    upload_id = shop.preview(row(number, retailer="cargills") for number in range(1000, 2000))[
        "upload_id"
    ]
    assert shop.confirm(upload_id)["inserted"] == 1000
    confirmed = time.monotonic()
    listed = shop.get("/api/products", retailer="cargills", limit=100)
    assert (len(listed["products"]), listed["total"]) == (100, 1000)
    eventually(
        lambda: shop.get("/api/products/stats")["total"] == before + 1000, timeout_seconds=10
    )
    seconds = time.monotonic() - confirmed
    record_property("seconds_until_counted", round(seconds, 2))
    print(f"1,000 rows counted {seconds:.1f} s after the confirm's answer")  # noqa: T201
    assert shop.get("/api/products/stats")["by_retailer"]["cargills"] == 1000
