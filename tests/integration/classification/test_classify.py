"""POST /classify as a browser meets it, and the keys that it needs, which nobody ever sees."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from llmock.scenarios import Delay, Fail, Match, StreamFault
from llmock.state import LLMockState

from local.firestore import clear_documents
from local.stack import Stack
from shared.classification import circuits, classifying, keys
from shared.clients import firestore, redis
from shared.edge import streaming
from tests import sessions
from tests.integration.classification.models import answer, models_at, reply
from tests.integration.edge.instance import codebase, instance, served
from tests.polling import eventually
from tests.sessions import ADMIN, SUPER_ADMIN, TLS

if TYPE_CHECKING:
    from upstash_redis import Redis

CANARY = "canary-Key.0123456789abcdef"
TEA = {"name": "Ceylon Tea Bags 100s", "brand": "Dilmah", "price": 450, "id": "one"}
SLOW_SECONDS = 6
Told = list[tuple[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def clients(stack: Stack) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """An admin and a super admin, in a product that has no keys."""
    clear_documents(stack.plan)
    with (
        sessions.new_client(stack, sessions.log_in(stack, ADMIN)) as admin,
        sessions.new_client(stack, sessions.log_in(stack, SUPER_ADMIN)) as super_admin,
    ):
        yield admin, super_admin


@pytest.fixture
def admin(clients: tuple[httpx.Client, httpx.Client]) -> httpx.Client:
    return clients[0]


@pytest.fixture(scope="module")
def models(stack: Stack) -> Iterator[LLMockState]:
    with models_at(stack) as state:
        yield state


@pytest.fixture
def groq(
    stack: Stack, clients: tuple[httpx.Client, httpx.Client], models: LLMockState
) -> Iterator[LLMockState]:
    """The providers, of which groq and gemini have keys, for as long as a test takes."""
    models.reset()
    with instance(stack.environment()):
        redis.must_call(_forget_answers)
    for provider in ("groq", "gemini"):
        body = {"provider": provider, "key": f"{CANARY}-{provider}"}
        answered = clients[1].post("/keys/set", json=body)
        assert answered.status_code == 200, answered.text
    yield models
    with instance(stack.environment()):
        for provider in ("groq", "gemini"):
            firestore.client().collection(keys.COLLECTION).document(provider).delete()
            circuits.forget(provider)


def _forget_answers(client: "Redis") -> object:
    known = client.keys("ai:answer:*")
    return client.delete(*known) if known else None


def events(text: str) -> Told:
    """The events of a whole stream."""
    told = []
    for block in text.split("\n\n"):
        lines = dict(line.partition(": ")[::2] for line in block.splitlines())
        if "event" in lines:
            told.append((lines["event"], json.loads(lines["data"])))
    return told


def classify(http: httpx.Client, *products: dict[str, Any], **more: Any) -> Told:
    answered = http.post("/classify", json={"products": products, **more})
    assert answered.status_code == 200, answered.text
    assert answered.headers["Content-Type"] == "text/event-stream"
    assert answered.headers["Cache-Control"] == "private, no-store"
    return events(answered.text)


def of(told: Told, name: str) -> list[dict[str, Any]]:
    return [data for event, data in told if event == name]


def test_without_any_key_local_classifies(admin: httpx.Client) -> None:
    told = classify(admin, TEA, {"name": "Signal Toothpaste"}, {"name": "?"})

    by_index = {data["index"]: data for data in of(told, "result")}
    assert by_index[0]["product"] == {"id": "one", "name": TEA["name"]}
    assert (by_index[0]["category"], by_index[1]["category"]) == ("tea", "oral-care")
    assert {data["provider"] for data in by_index.values()} == {"local"}
    assert by_index[2]["confidence"] < by_index[0]["confidence"]
    assert by_index[2]["needs_review"]
    assert {data["percent"] for data in of(told, "progress")} == {33, 66, 100}
    assert told[-1] == ("complete", {"total": 3, "successful": 3, "failed": 0})


def test_the_first_provider_answers_and_what_breaks_begins_again_elsewhere(
    admin: httpx.Client, groq: LLMockState
) -> None:
    groq.scenarios.add(reply(answer("tea", 93)))
    (result,) = of(classify(admin, TEA), "result")
    assert (result["provider"], result["model"]) == ("groq", "llama-3.3-70b-versatile")
    # Nobody has checked an answer of its yet: its own figure is not enough.
    assert (result["confidence"], result["needs_review"]) == (63, True)
    assert of(classify(admin, TEA), "result")[0]["source"] == "cache"

    told = classify(admin, TEA | {"name": "Other Tea"}, TEA | {"name": " Other  Tea"})
    assert {data["source"] for data in of(told, "result")} == {"provider", "twin"}
    groq.scenarios.add(Fail(500, times=None, match=Match(provider="groq")))
    groq.scenarios.add(StreamFault("disconnect", after_chunks=2))
    told = classify(admin, TEA | {"name": "Another Tea"})
    assert of(told, "restart") == [
        {"index": 0, "provider": "gemini", "reason": "overloaded"},
        {"index": 0, "provider": "local", "reason": "network"},
    ]
    assert of(told, "result")[0]["provider"] == "local"


def test_who_is_named_begins_and_what_is_wrong_is_refused_before_any_call(
    admin: httpx.Client, groq: LLMockState
) -> None:
    groq.scenarios.add(reply(answer("milk")))
    assert of(classify(admin, TEA, provider="gemini"), "result")[0]["provider"] == "gemini"
    chosen = of(classify(admin, TEA, model="openai/gpt-oss-120b"), "result")[0]
    assert (chosen["provider"], chosen["model"]) == ("groq", "openai/gpt-oss-120b")
    before = len(groq.journal.records(wait=2))
    refusals: list[tuple[dict[str, Any], str]] = [
        ({"provider": "groq", "model": "gpt-0"}, "model"),
        ({"model": "gpt-0"}, "model"),
        ({"products": [TEA, TEA | {"price": "NaN"}]}, "products[1].price"),
    ]
    for wrong, field in refusals:
        refused = admin.post("/classify", json={"products": [TEA], **wrong})
        assert refused.status_code == 422, refused.text
        assert refused.json()["errors"][0]["field"] == field
    assert len(groq.journal.records(wait=2)) == before


def numbered(count: int) -> list[dict[str, Any]]:
    return [{"name": f"Tea {n}"} for n in range(count)]


@contextmanager
def at_its_own_url(
    stack: Stack, admin: httpx.Client, *products: dict[str, Any]
) -> Iterator[Iterator[str]]:
    """The lines of a stream that nothing stands before, opened by a ticket."""
    ticket = admin.post("/api/admin/ticket", json={"for": "classify"}).json()
    headers = {"Authorization": f"Bearer {ticket['ticket']}", "Origin": stack.plan.origin}
    with (
        httpx.Client(timeout=30, trust_env=False, verify=TLS) as http,
        http.stream("POST", ticket["url"], json={"products": products}, headers=headers) as sent,
    ):
        assert sent.status_code == 200, sent.read()
        assert sent.headers["Access-Control-Allow-Origin"] == stack.plan.origin
        yield sent.iter_lines()


def test_at_its_own_url_each_event_comes_as_it_happens(
    stack: Stack, admin: httpx.Client, groq: LLMockState
) -> None:
    groq.scenarios.add(reply(answer("tea")), Delay(SLOW_SECONDS))
    began = time.monotonic()
    with at_its_own_url(stack, admin, *numbered(2)) as lines:
        next(line for line in lines if line.startswith("event: result"))
        # The other of the two waits, and does not hold this one back meanwhile.
        assert time.monotonic() - began < SLOW_SECONDS


def test_who_hangs_up_stops_the_work(stack: Stack, admin: httpx.Client, groq: LLMockState) -> None:
    groq.scenarios.add(reply(answer("tea")), Delay(0.4, times=None))
    with at_its_own_url(stack, admin, *numbered(60)) as lines:
        next(line for line in lines if line.startswith("event: result"))

    log = stack.plan.state / "logs/functions.log"
    eventually(lambda: '"to_its_end": false' in log.read_text(), timeout_seconds=20)
    # Four at a time, of which none begins any more: neither of the twelve nor of what follows.
    assert len(groq.journal.records(wait=2)) < 40


def test_a_long_stream_takes_nothing_from_a_short_one(
    stack: Stack, admin: httpx.Client, groq: LLMockState
) -> None:
    groq.scenarios.add(reply(answer("tea")), Delay(SLOW_SECONDS, times=classifying.THREADS))
    with at_its_own_url(stack, admin, *numbered(100)):
        # All of its threads wait for the model.
        eventually(lambda: groq.scenarios.pending()[1:] == [])
        began = time.monotonic()
        with at_its_own_url(stack, admin, *numbered(3)) as short:
            told = [line.removeprefix("event: ") for line in short if line.startswith("event: ")]
        assert time.monotonic() - began < SLOW_SECONDS
    assert (told.count("result"), told[-1]) == (3, "complete")


def test_who_waits_for_a_slow_model_hears_that_the_stream_lives(
    stack: Stack, admin: httpx.Client, groq: LLMockState, monkeypatch: pytest.MonkeyPatch
) -> None:
    groq.scenarios.add(reply(answer("tea")), Delay(1.0))
    monkeypatch.setattr(streaming, "events", partial(streaming.events, heartbeat_seconds=0.1))
    headers = {name: admin.headers[name] for name in ("Cookie", "X-CSRF-Token")}
    with served(stack, "classify", codebase("ai")) as http:
        text = http.post("/classify", json={"products": [TEA]}, headers=headers).text
    while_waiting, _, after = text.partition("event: result")
    # The first of them opens the stream.
    assert while_waiting.count(": \n\n") > 1
    assert "event: complete" in after


def test_the_providers_show_how_they_fared(admin: httpx.Client, groq: LLMockState) -> None:
    groq.scenarios.add(Fail(429, retry_after=600, match=Match(provider="groq")))
    groq.scenarios.add(reply(answer("tea")))
    classify(admin, TEA)

    told = admin.get("/classify/providers").json()

    assert told["order"] == ["groq", "gemini", "cerebras", "openrouter", "local"]
    by_name = {each["name"]: each for each in told["providers"]}
    assert by_name["groq"]["reason"] == "rate_limited"
    assert (by_name["groq"]["healthy"], by_name["groq"]["error_percent"]) == (False, 100)
    assert by_name["groq"]["retry_at"] is not None
    (part,) = (p for p in _parts(admin) if p["name"] == "ai_providers")
    assert (part["state"], part["detail"]) == ("degraded", "groq rests: rate_limited")
    assert [item["name"] for item in part["items"]] == ["groq", "gemini"]
    assert (by_name["gemini"]["healthy"], by_name["gemini"]["circuit"]) == (True, "closed")
    assert by_name["gemini"]["latency_ms"] >= 0
    assert by_name["gemini"]["spend_today"] > 0
    assert by_name["gemini"]["models"][0]["input_price"] == 1.5
    assert (by_name["cerebras"]["configured"], by_name["cerebras"]["healthy"]) == (False, False)
    assert by_name["local"]["healthy"]


def _parts(admin: httpx.Client) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = admin.get("/system/status").json()["parts"]
    return parts


def test_a_provider_is_tested_on_demand(admin: httpx.Client, groq: LLMockState) -> None:
    groq.scenarios.add(reply(answer("milk")))
    tested = admin.post("/classify/test-provider", json={"provider": "groq"}).json()
    assert (tested["ok"], tested["model"]) == (True, "llama-3.3-70b-versatile")
    groq.scenarios.add(Fail(401))
    failed = admin.post("/classify/test-provider", json={"provider": "groq"}).json()
    assert (failed["ok"], failed["error"].partition(":")[0]) == (False, "bad_key")
    keyless = admin.post("/classify/test-provider", json={"provider": "cerebras"}).json()
    assert (keyless["ok"], keyless["error"]) == (False, "No key is set.")
    assert admin.post("/classify/test-provider", json={"provider": "local"}).json()["ok"]


def test_a_key_is_written_and_never_read(
    stack: Stack,
    clients: tuple[httpx.Client, httpx.Client],
    groq: LLMockState,
    tmp_path: Path,
) -> None:
    admin, super_admin = clients
    groq.scenarios.add(Fail(401, message=f"Wrong key {CANARY}-groq", times=None))
    stream = admin.post("/classify", json={"products": [TEA], "provider": "groq"})
    status = admin.get("/keys/status")
    known = {each["provider"]: each for each in status.json()["keys"]}
    assert (known["groq"]["source"], known["groq"]["last_four"]) == ("stored", "groq")
    assert known["groq"]["set_at"].endswith("Z")
    assert known["cerebras"] == {
        "provider": "cerebras",
        "source": "none",
        "last_four": None,
        "set_at": None,
    }
    trail = super_admin.get("/api/audit/logs", params={"resource": "provider_keys/groq"})
    assert trail.json()["entries"][0]["action"] == "provider_key.set"
    refused = super_admin.post("/keys/set", json={"provider": "groq", "key": f"{CANARY} spaced"})
    assert refused.status_code == 422
    tested = admin.post("/classify/test-provider", json={"provider": "groq"})
    shown = [answer.text for answer in (stream, status, trail, refused, tested)]

    file = tmp_path / "log"
    settings = {"LOG_LEVEL": "DEBUG", "LOG_FILE": str(file)}
    sent = {
        "Cookie": super_admin.headers["Cookie"],
        "X-CSRF-Token": super_admin.headers["X-CSRF-Token"],
    }
    with served(stack, "keys_set", codebase("ai"), **settings) as http:
        body = {"provider": "groq", "key": f"{CANARY}-groq"}
        assert http.post("/keys/set", json=body, headers=sent).status_code == 200
    with served(stack, "classify", codebase("ai"), **settings) as http:
        shown.append(http.post("/classify", json={"products": [TEA]}, headers=sent).text)
    shown += [file.read_text(), *(log.read_text() for log in _logs(stack))]
    with instance(stack.environment()):
        stored = firestore.client().collection(keys.COLLECTION).document("groq").get()
        shown.append(str(stored.to_dict()))
    assert len(shown[-2]) > 100
    assert [text for text in shown if CANARY in text] == []
    calls = groq.journal.records(wait=2)
    assert len(calls) >= 3


def _logs(stack: Stack) -> list[Path]:
    return sorted((stack.plan.state / "logs").glob("*.log"))


@pytest.mark.usefixtures("groq")
def test_another_master_key_takes_over_while_the_product_runs(stack: Stack) -> None:
    old = stack.environment()["KEYS_MASTER_KEY"]
    new = "the-next-master-key-which-is-long-enough"
    with instance(stack.environment(), KEYS_MASTER_KEY=f"{new},{old}"):
        assert keys.credentials().by_provider["groq"] == f"{CANARY}-groq"
    with instance(stack.environment(), KEYS_MASTER_KEY=new):
        assert keys.credentials().by_provider == {
            "groq": f"{CANARY}-groq",
            "gemini": f"{CANARY}-gemini",
        }
    with instance(stack.environment()):
        assert keys.credentials().by_provider == {}
