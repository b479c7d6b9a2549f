"""Canary keys, stored and of the environment, with providers that repeat them in every error.

Whatever the product writes is searched for them: streams, batches and their results, answers, logs,
the audit trail, the review queue, the books, the keys' own documents and all that Redis keeps.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest
from llmock.testing import LLMockServer

from local.stack import Stack
from scheduler import cloud_queues
from shared import logs
from shared.classification import batch_store, batch_work, batches, circuits, keys, spending
from shared.classification.batch_schemas import ClassifyBatch
from shared.classification.models import KEYED, LOCAL
from shared.classification.schemas import ProductToClassify
from shared.clients import firestore, redis
from shared.config import settings
from shared.system import configuration
from shared.system.configuration_records import DEFAULTS
from tests import sessions
from tests.chaos.accidents import BY
from tests.integration.classification.models import answer
from tests.integration.edge.instance import codebase, instance, served
from tests.sessions import SUPER_ADMIN

CANARY = "canary-Secret.0123456789"
STORED = ("groq", "gemini")
ENVIRONMENT = {
    # Overruled by a stored one, and as secret as that.
    "GROQ_API_KEY": f"{CANARY}-groq-old",
    "CEREBRAS_API_KEY": f"{CANARY}-cerebras",
    "OPENROUTER_API_KEY": f"{CANARY}-openrouter",
}
# 200 is an answer that cannot be read, with the key in it.
STATUSES = (200, 400, 401, 403, 429, 500)
WRITTEN = (
    "audit_logs",
    batch_store.COLLECTION,
    batch_store.ITEMS,
    batch_store.RESULTS,
    "classification_reviews",
    "dead_letters",
    "idempotency",
    keys.COLLECTION,
    spending.CALLS,
    spending.DAYS,
)


class Echo:
    """Answers each call with the key that it was made with, wherever an error may carry it."""

    def __init__(self) -> None:
        self.status = 500
        # A good answer, with the key in all that stands beside it.
        self.answers = False
        # And with the key in what it says of the product, as well.
        self.confides = False
        self.seen: set[str] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        sent = {name.decode(): value.decode() for name, value in scope["headers"]}
        while (await receive()).get("more_body"):
            pass
        key = sent.get("x-goog-api-key") or sent["authorization"].removeprefix("Bearer ")
        self.seen.add(key)
        error = {"message": f"Bad key {key}", "type": key, "code": key, "status": key}
        body = json.dumps({"error": error, "detail": key, "choices": key, "candidates": key})
        if self.answers:
            body = json.dumps(_good(key, confides=self.confides))
        headers = [
            (b"content-type", b"application/json"),
            (b"x-request-id", key.encode()),
            (b"www-authenticate", f"Bearer {key}".encode()),
        ]
        status = 200 if self.answers else self.status
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body.encode()})


def _good(key: str, *, confides: bool) -> dict[str, Any]:
    said = answer("tea")
    if confides:
        said = said.replace("Mocked", f"Tea by {key}, or {key[:-1]}\\u{ord(key[-1]):04x}")
    message = {"role": "assistant", "content": said, "reasoning": key, "name": key}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    usage = {"prompt_tokens": 10, "completion_tokens": 10, "total_tokens": 20}
    told = {"id": key, "model": key, "system_fingerprint": key, "object": "chat.completion"}
    return {**told, "created": 1, "choices": [choice], "usage": usage, "x_groq": {"id": key}}


@pytest.fixture
def echo(stack: Stack) -> Iterator[Echo]:
    """A provider at the place of all four."""
    port = urlsplit(stack.environment()["GROQ_BASE_URL"]).port
    assert port
    echo = Echo()
    server = LLMockServer(port=port)
    server.app = echo  # type: ignore[assignment]
    with server:
        yield echo


@pytest.fixture
def owner(stack: Stack) -> Iterator[httpx.Client]:
    """A super admin; the canary keys are there as long as a test takes."""
    with sessions.new_client(stack, sessions.log_in(stack, SUPER_ADMIN)) as http:
        yield http
    with instance(stack.environment()):
        for provider in KEYED:
            circuits.forget(provider)
            firestore.client().collection(keys.COLLECTION).document(provider).delete()


def test_no_secret_appears_in_anything_that_is_written(
    stack: Stack, owner: httpx.Client, echo: Echo, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    changes: dict[str, str | None] = {**ENVIRONMENT, "LOG_LEVEL": "DEBUG", "LOG_FILE": str(log)}
    headers = {name: owner.headers[name] for name in ("Cookie", "X-CSRF-Token")}
    shown: dict[str, str] = {}
    row = {"name": f"Canary Tea {tmp_path.name}", "price": 10, "retailer": "canary-shop"}
    owner.post("/api/products/confirm", json={"products": [row]}).raise_for_status()
    wanted = {"retailer": "canary-shop"}
    product = owner.get("/api/products", params=wanted).json()["products"][0]
    named = {"name": product["name"], "id": product["id"]}

    for provider in STORED:
        with served(stack, "keys_set", codebase("ai"), **changes) as http:
            body = {"provider": provider, "key": f"{CANARY}-{provider}"}
            assert http.post("/keys/set", json=body, headers=headers).status_code == 200
            refused = {**body, "key": f"{CANARY} with spaces"}
            answer = http.post("/keys/set", json=refused, headers=headers)
            shown[f"refused key {provider}"] = answer.text
            assert answer.status_code == 422
    with served(stack, "classify", codebase("ai"), **changes) as http:
        for status in STATUSES:
            echo.status = status
            for provider in KEYED:
                circuits.forget(provider)
            # Each is asked in its turn, since all fail before it.
            answer = http.post("/classify", json={"products": [named]}, headers=headers)
            assert answer.status_code == 200
            shown[f"stream at {status}"] = answer.text
    with served(stack, "classify_test_provider", codebase("ai"), **changes) as http:
        for provider in KEYED:
            answer = http.post(
                "/classify/test-provider", json={"provider": provider}, headers=headers
            )
            assert '"ok":false' in answer.text
            shown[f"test of {provider}"] = answer.text
    for name, path in (
        ("keys_status", "/keys/status"),
        ("classify_providers", "/classify/providers"),
    ):
        with served(stack, name, codebase("ai"), **changes) as http:
            shown[path] = http.get(path, headers=headers).text
    shown |= {path: owner.get(path).text for path in ("/api/audit/logs", "/system/status")}
    shown |= {str(each): each.read_text() for each in (stack.plan.state / "logs").glob("*.log")}
    batch_ids = [_batch(stack, echo, answers, changes) for answers in (False, True)]
    echo.confides = True
    batch_ids.append(_batch(stack, echo, True, changes))
    for batch_id in batch_ids:
        for path in (f"/classify-batch/{batch_id}", f"/classify-batch/{batch_id}/items"):
            shown[path] = owner.get(path).text
    shown["log"] = log.read_text()
    shown |= _kept(stack)

    # Each key was used, each failure told, and each place looked into.
    assert echo.seen == {f"{CANARY}-{provider}" for provider in KEYED}
    streams = [text for name, text in shown.items() if name.startswith("stream")]
    assert [text.count("event: restart") for text in streams] == [4] * len(STATUSES)
    assert all(len(shown[name]) > 100 for name in ("log", "redis", *WRITTEN[:5], keys.COLLECTION))
    assert all(len(shown[name]) > 100 for name in (spending.CALLS, spending.DAYS))
    assert "ai:answer:" in shown["redis"]
    unanswered, answered, confided = (shown[f"/classify-batch/{each}/items"] for each in batch_ids)
    assert "groq: bad_key; gemini: bad_key" in unanswered
    assert '"provider":"groq"' in answered
    assert "groq: bad_output; gemini: " in confided
    assert product["id"] in shown["classification_reviews"]
    assert [name for name, text in shown.items() if CANARY in text] == []
    others = [stack.environment()[name] for name in ("SECRET_KEY", "KEYS_MASTER_KEY")]
    assert [name for name, text in shown.items() if any(each in text for each in others)] == []


def _batch(stack: Stack, echo: Echo, answers: bool, changes: dict[str, str | None]) -> str:  # noqa: FBT001
    """A batch of one product, worked on here with all keys, and without `local` behind them."""
    order = [name for name in DEFAULTS.provider_order if name != LOCAL]
    echo.answers, echo.status = answers, 401
    with instance(stack.environment(), **changes):
        logs.set_up(settings())
        for provider in KEYED:
            circuits.forget(provider)
        cloud_queues.pause_queue(batches.QUEUE)
        try:
            wanted = msgspec.structs.replace(DEFAULTS, provider_order=order)
            configuration.change(wanted, None, BY)
            batch_work._kept.clear()
            product = ProductToClassify(name=f"Canary Tea {time.time_ns()}")
            begun = batches.begin(ClassifyBatch(products=[product]), BY)
            batch_work.work(begun.batch_id, 0)
        finally:
            batch_work._kept.clear()
            configuration.change(DEFAULTS, None, BY)
            cloud_queues.resume_queue(batches.QUEUE)
    return begun.batch_id


def _kept(stack: Stack) -> dict[str, str]:
    """What lies in the database and in Redis."""
    found = {}
    with instance(stack.environment(), **ENVIRONMENT):
        for name in WRITTEN:
            documents = firestore.client().collection_group(name).limit(5000).stream()
            found[name] = str([(each.id, each.to_dict()) for each in documents])
        names = redis.try_call(lambda r: r.keys("*")) or []
        texts = redis.try_call(lambda r: r.mget(*names)) or []
        found["redis"] = str(list(zip(names, texts, strict=True)))
    return found
