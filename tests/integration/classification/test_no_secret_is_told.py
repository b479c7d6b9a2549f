"""Canary keys, stored and of the environment, with providers that repeat them in every error.

Whatever the product writes is searched for them: streams, answers, logs, the audit trail, the
review queue, the keys' own documents and what Redis keeps.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from llmock.testing import LLMockServer

from local.stack import Stack
from shared.classification import circuits, keys
from shared.classification.models import KEYED
from shared.clients import firestore, redis
from tests import sessions
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
WRITTEN = ("audit_logs", "classification_reviews", "dead_letters", "idempotency", keys.COLLECTION)


class Echo:
    """Answers each call with the key that it was made with, wherever an error may carry it."""

    def __init__(self) -> None:
        self.status = 500
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
        headers = [
            (b"content-type", b"application/json"),
            (b"x-request-id", key.encode()),
            (b"www-authenticate", f"Bearer {key}".encode()),
        ]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body.encode()})


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
    shown["log"] = log.read_text()
    with instance(stack.environment(), **ENVIRONMENT):
        for collection in WRITTEN:
            documents = firestore.client().collection(collection).limit(2000).stream()
            shown[collection] = str([snapshot.to_dict() for snapshot in documents])
        names = redis.try_call(lambda r: r.keys("ai:circuit:*")) or []
        shown["redis"] = str(redis.try_call(lambda r: r.mget(*names)))

    # Each key was used, each failure told, and each place looked into.
    assert echo.seen == {f"{CANARY}-{provider}" for provider in KEYED}
    streams = [text for name, text in shown.items() if name.startswith("stream")]
    assert [text.count("event: restart") for text in streams] == [4] * len(STATUSES)
    assert all(len(shown[name]) > 100 for name in ("log", "audit_logs", "redis", keys.COLLECTION))
    assert product["id"] in shown["classification_reviews"]
    assert [name for name, text in shown.items() if CANARY in text] == []
    others = [stack.environment()[name] for name in ("SECRET_KEY", "KEYS_MASTER_KEY")]
    assert [name for name, text in shown.items() if any(each in text for each in others)] == []
