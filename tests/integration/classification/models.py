"""llmock as every provider at once, with faults on demand, and what a good answer looks like."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from threading import Event
from typing import Any, ClassVar
from urllib.parse import urlsplit

from llmock.scenarios import Match, Plan, Reply, RequestInfo, ScenarioQueue
from llmock.state import LLMockState
from llmock.testing import LLMockServer

from local.stack import Stack
from tests.integration.classification.vendors import Told
from tests.mock_model import MockModel

# What llmock calls those that speak OpenAI's protocol.
NAMES = {"groq": "groq", "gemini": "gemini", "cerebras": "openai", "openrouter": "openai"}


@contextmanager
def models_at(stack: Stack) -> Iterator[LLMockState]:
    """A running llmock, where the stack's functions look for the providers."""
    port = urlsplit(stack.environment()["GROQ_BASE_URL"]).port
    assert port
    with models_on(port) as state:
        yield state


@contextmanager
def models_on(port: int) -> Iterator[LLMockState]:
    """A running llmock on a port of this machine."""
    server = LLMockServer(port=port)
    state = server.state
    state.scenarios = Thoughts()
    # Llmock cuts only streams off, and Groq streams no structured output; nor does it think, nor
    # keep what it is asked, nor know each vendor's own words for a failure.
    server.app = Hearing(Saying(Thinking(Cutting(server.app))))  # type: ignore[assignment]
    with server:
        yield state


def answer(category: str, confidence: int = 90) -> str:
    return json.dumps({"category": category, "confidence": confidence, "rationale": "Mocked."})


def reply(text: str, provider: str | None = None) -> Reply:
    """Has the provider answer `text` until it is told otherwise."""
    match = Match(provider=NAMES[provider]) if provider else Match()
    return Reply(text=text, times=None, match=match)


class Cutting:
    """Sends half of an answer that is no stream, and hangs up, where `cuts` is set."""

    cuts = False

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def cut(message: Any) -> None:
            body = message.get("body", b"")
            if Cutting.cuts and message["type"] == "http.response.body" and len(body) > 1:
                await send({**message, "body": body[: len(body) // 2], "more_body": True})
                raise ConnectionAbortedError
            await send(message)

        await self._app(scope, receive, cut)


class Saying:
    """Has what llmock answers be another answer, where `told` is set."""

    told: ClassVar[Told | None] = None

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        told = Saying.told

        async def say(message: Any) -> None:
            if told is None:
                await send(message)
            elif message["type"] == "http.response.start":
                headers = [(b"content-type", told.content_type.encode())]
                await send({**message, "status": told.status, "headers": headers})
                await send({"type": "http.response.body", "body": told.body.encode()})

        await self._app(scope, receive, say)


class Hearing:
    """Keeps the bodies of all that is asked, where there is a list for them."""

    heard: ClassVar[list[dict[str, Any]] | None] = None

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""

        async def hear() -> Any:
            nonlocal body
            message = await receive()
            if message["type"] == "http.request":
                body += message.get("body", b"")
                if Hearing.heard is not None and body and not message.get("more_body", False):
                    Hearing.heard.append(json.loads(body))
            return message

        await self._app(scope, hear, send)


# How many calls have come so far; many of them may not be answered yet.
ASKED_PATH = "/asked"
HELD_SECONDS = 60
_thought: ContextVar[str | None] = ContextVar("thought", default=None)


class Thinking:
    """Has `model`, where it is set, say what is answered, by what is asked.

    A call that has the words of `held` in it is answered once the event is set.
    """

    model: ClassVar[MockModel | None] = None
    held: ClassVar[tuple[bytes, Event] | None] = None

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or (Thinking.model is None and Thinking.held is None):
            await self._app(scope, receive, send)
            return
        if Thinking.model is not None and scope["path"] == ASKED_PATH:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            body = str(len(Thinking.model.asked)).encode()
            await send({"type": "http.response.body", "body": body})
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)

        left = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Any:
            return left.pop() if left else await receive()

        if Thinking.held is not None and Thinking.held[0] in body:
            await asyncio.to_thread(Thinking.held[1].wait, HELD_SECONDS)
        if Thinking.model is not None:
            _thought.set(Thinking.model.answer(_user_part(json.loads(body))))
        await self._app(scope, again, send)


class Thoughts(ScenarioQueue):
    """Scenarios, and for a reply what was thought."""

    def plan_for(self, info: RequestInfo) -> Plan:
        plan, thought = super().plan_for(info), _thought.get()
        return replace(plan, reply=Reply(text=thought)) if thought else plan


def _user_part(body: dict[str, Any]) -> str:
    if "contents" in body:
        text: str = body["contents"][-1]["parts"][0]["text"]
        return text
    said: str = body["messages"][-1]["content"]
    return said
