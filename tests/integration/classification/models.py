"""llmock as every provider at once, with faults on demand, and what a good answer looks like."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from llmock.scenarios import Match, Reply
from llmock.state import LLMockState
from llmock.testing import LLMockServer

from local.stack import Stack

# What llmock calls those that speak OpenAI's protocol.
NAMES = {"groq": "groq", "gemini": "gemini", "cerebras": "openai", "openrouter": "openai"}


@contextmanager
def models_at(stack: Stack) -> Iterator[LLMockState]:
    """A running llmock, where the stack's functions look for the providers."""
    port = urlsplit(stack.environment()["GROQ_BASE_URL"]).port
    assert port
    server = LLMockServer(port=port)
    state = server.state
    # One more layer, since llmock cuts only streams off, and Groq streams no structured output.
    server.app = Cutting(server.app)  # type: ignore[assignment]
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
