"""The REST front of Valkey, through Upstash's own clients."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from upstash_ratelimit import FixedWindow, Ratelimit, SlidingWindow
from upstash_redis import Redis
from upstash_redis.errors import UpstashError

from local.plan import REDIS_TOKEN, Plan
from local.ports import HOST, Ports
from local.process import Process
from local.upstash import UpstashFront
from local.valkey import valkey

# Windows are counted from the epoch: within one so long, no test sees its end.
WINDOW = 100_000_000


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return Plan(Ports.free(), tmp_path_factory.mktemp("upstash"))


@pytest.fixture(scope="module")
def server(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    log: Path = tmp_path_factory.mktemp("logs") / "valkey.log"
    process = Process(valkey(plan), log)
    process.start()
    yield process
    process.stop()


@pytest.fixture(scope="module")
def url(plan: Plan, server: Process) -> Iterator[str]:
    assert server.running
    app = UpstashFront(plan.ports.valkey, REDIS_TOKEN).app()
    listener = socket.create_server((HOST, plan.ports.upstash))
    front = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=front.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://{HOST}:{plan.ports.upstash}"
    front.should_exit = True
    thread.join()


@pytest.fixture
def redis(url: str) -> Iterator[Redis]:
    with Redis(url, REDIS_TOKEN, rest_retries=0) as client:
        client.flushall()
        yield client


def test_a_value_comes_back_as_it_was_set(redis: Redis) -> None:
    assert redis.set("name", "සහල් 🍚 'quoted' \n line")
    assert redis.get("name") == "සහල් 🍚 'quoted' \n line"
    assert redis.get("absent") is None


def test_the_text_ok_and_numbers_survive(redis: Redis) -> None:
    redis.set("text", "OK")
    redis.set("number", 15)
    assert redis.mget("text", "number", "absent") == ["OK", "15", None]
    assert redis.incrby("number", 2) == 17


def test_nx_sets_once_and_ex_expires(redis: Redis) -> None:
    assert redis.set("lock", "first", nx=True, ex=100)
    assert not redis.set("lock", "second", nx=True)
    assert redis.get("lock") == "first"
    assert 0 < redis.ttl("lock") <= 100


def test_delete_counts_what_it_removed(redis: Redis) -> None:
    redis.set("a", "1")
    assert redis.delete("a", "b") == 1
    assert redis.exists("a") == 0


def test_a_pipeline_answers_each_command(redis: Redis) -> None:
    pipeline = redis.pipeline()
    pipeline.set("a", "1").incr("a").mget("a", "b")
    assert pipeline.exec() == [True, 2, ["2", None]]


def test_a_transaction_answers_each_command(redis: Redis) -> None:
    transaction = redis.multi()
    transaction.set("a", "é").get("a")
    assert transaction.exec() == [True, "é"]


def test_one_failure_leaves_the_rest_of_a_pipeline(url: str, redis: Redis) -> None:
    redis.set("text", "x")
    answer = httpx.post(
        f"{url}/pipeline",
        headers={"Authorization": f"Bearer {REDIS_TOKEN}"},
        json=[["INCR", "text"], ["GET", "text"]],
    )
    assert answer.status_code == 200
    failed, succeeded = answer.json()
    assert "not an integer" in failed["error"]
    assert succeeded == {"result": "x"}


def test_a_script_returns_nested_values(redis: Redis) -> None:
    script = "return {KEYS[1], 7, {ARGV[1], false}}"
    assert redis.eval(script, keys=["k"], args=["v"]) == ["k", 7, ["v", None]]


def test_a_script_for_upstash_s_own_engine_runs(redis: Redis) -> None:
    script = "#!lua flags=allow-key-locking\nreturn redis.call('INCR', KEYS[1])"
    assert redis.eval(script, keys=["n"]) == 1
    assert redis.evalsha(redis.script_load(script), keys=["n"]) == 2


def test_an_error_is_the_server_s_own(redis: Redis) -> None:
    redis.set("text", "x")
    with pytest.raises(UpstashError, match="not an integer"):
        redis.incr("text")
    with pytest.raises(UpstashError, match="unknown command"):
        redis.execute(["NO-SUCH-COMMAND"])


def test_a_wrong_token_is_refused(url: str) -> None:
    answer = httpx.post(url, headers={"Authorization": "Bearer wrong"}, json=["PING"])
    assert answer.status_code == 401
    assert "error" in answer.json()


@pytest.mark.parametrize("body", [b"{}", b"[]", b"not json", b'"GET"'])
def test_what_is_no_command_is_refused(url: str, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {REDIS_TOKEN}"}
    answer = httpx.post(url, headers=headers, content=body)
    assert answer.status_code == 400
    assert "error" in answer.json()


@pytest.mark.parametrize(
    "window",
    [FixedWindow(max_requests=3, window=WINDOW), SlidingWindow(max_requests=3, window=WINDOW)],
)
def test_the_rate_limiter_counts(redis: Redis, window: FixedWindow | SlidingWindow) -> None:
    limiter = Ratelimit(redis=redis, limiter=window, prefix="test")
    allowed = [limiter.limit("caller").allowed for _ in range(5)]
    assert allowed == [True, True, True, False, False]
    assert limiter.limit("another").allowed


def test_a_lost_server_is_an_error_at_once_and_its_return_heals(
    redis: Redis, server: Process
) -> None:
    redis.set("a", "1")
    server.kill()
    began = time.monotonic()
    with pytest.raises(UpstashError, match="not reachable"):
        redis.get("a")
    assert time.monotonic() - began < 2
    server.start()
    with contextlib.closing(redis):
        assert redis.get("a") is None
