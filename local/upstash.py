"""Upstash's REST interface in front of Valkey, as its Python clients use it."""

import base64
import json
import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from valkey.asyncio import Valkey
from valkey.asyncio.retry import Retry
from valkey.backoff import NoBackoff
from valkey.exceptions import ConnectionError as Unreachable
from valkey.exceptions import TimeoutError as TooSlow
from valkey.exceptions import ValkeyError

from local.ports import HOST

_CONNECT_SECONDS = 0.5
_ANSWER_SECONDS = 5

# Upstash's own engine knows this flag; plain Valkey refuses a script that names it.
_SHEBANG = re.compile(r"\A#!lua [^\n]*flags=[^\n]*allow-key-locking[^\n]*\n")
_SCRIPT_POSITION = {"EVAL": 1, "EVAL_RO": 1, "SCRIPT": 2}

Command = list[str]
Answer = dict[str, Any] | list[dict[str, Any]]
Handler = Callable[[Any, bool], Awaitable[Answer]]


class UpstashFront:
    """The REST interface over one Valkey server, for whoever knows the token."""

    def __init__(self, valkey_port: int, token: str) -> None:
        self._token = token
        self._valkey = Valkey(
            host=HOST,
            port=valkey_port,
            decode_responses=False,
            socket_connect_timeout=_CONNECT_SECONDS,
            socket_timeout=_ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        # The client would turn some replies into Python values; REST callers get them as sent.
        self._valkey.response_callbacks.clear()

    def app(self) -> Starlette:
        """The application with the three routes that the clients call."""
        return Starlette(
            routes=[
                Route("/", self._guarded(self._one), methods=["POST"]),
                Route("/pipeline", self._guarded(self._pipeline), methods=["POST"]),
                Route("/multi-exec", self._guarded(self._transaction), methods=["POST"]),
            ],
        )

    async def close(self) -> None:
        """Close the connections to Valkey."""
        await self._valkey.aclose()

    def _guarded(self, handler: Handler) -> Callable[[Request], Awaitable[JSONResponse]]:
        async def endpoint(request: Request) -> JSONResponse:
            if not self._authorized(request.headers.get("Authorization", "")):
                return _error("WRONGPASS invalid or missing auth token", 401)
            in_base64 = request.headers.get("Upstash-Encoding", "") == "base64"
            try:
                return JSONResponse(await handler(json.loads(await request.body()), in_base64))
            except (Unreachable, TooSlow) as error:
                return _error(f"ERR Valkey is not reachable: {error}", 503)
            except (ValkeyError, ValueError) as error:
                return _error(_message(error), 400)

        return endpoint

    def _authorized(self, header: str) -> bool:
        return secrets.compare_digest(header.encode(), f"Bearer {self._token}".encode())

    async def _one(self, body: object, in_base64: bool) -> Answer:  # noqa: FBT001
        reply = await self._valkey.execute_command(*_command(body))  # type: ignore[no-untyped-call]
        return {"result": _encoded(reply, in_base64)}

    async def _pipeline(self, body: object, in_base64: bool) -> Answer:  # noqa: FBT001
        return await self._batch(body, in_base64, transaction=False)

    async def _transaction(self, body: object, in_base64: bool) -> Answer:  # noqa: FBT001
        return await self._batch(body, in_base64, transaction=True)

    async def _batch(
        self,
        body: object,
        in_base64: bool,  # noqa: FBT001
        *,
        transaction: bool,
    ) -> Answer:
        commands = [_command(command) for command in _list(body)]
        async with self._valkey.pipeline(transaction=transaction) as pipeline:
            for command in commands:
                pipeline.execute_command(*command)
            replies = await pipeline.execute(raise_on_error=False)
        return [
            {"error": _message(reply)}
            if isinstance(reply, Exception)
            else {"result": _encoded(reply, in_base64)}
            for reply in replies
        ]


def _list(body: object) -> list[Any]:
    if not isinstance(body, list):
        raise ValueError("ERR failed to parse the request: a JSON array is expected")  # noqa: TRY004
    return body


def _command(body: object) -> Command:
    words = [_word(word) for word in _list(body)]
    if not words:
        raise ValueError("ERR empty command")
    position = _SCRIPT_POSITION.get(words[0].upper(), len(words))
    if position < len(words):
        words[position] = _SHEBANG.sub("", words[position])
    return words


def _word(value: object) -> str:
    # As JSON writes it: true rather than True, 1.5 rather than 1.50.
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _encoded(reply: Any, in_base64: bool) -> Any:  # noqa: FBT001
    if isinstance(reply, list):
        return [_encoded(each, in_base64) for each in reply]
    if isinstance(reply, Exception):
        return _encoded(_message(reply).encode(), in_base64)
    if not isinstance(reply, bytes):
        return reply
    # The clients take the status OK as it is; every other text is expected in the encoding.
    if in_base64 and reply != b"OK":
        return base64.b64encode(reply).decode()
    return reply.decode(errors="replace")


def _message(error: Exception) -> str:
    # The client library takes the code off the messages of errors that it has classes for.
    text = str(error)
    return text if text.split(" ", 1)[0].isupper() else f"ERR {text}"


def _error(message: str, status: int) -> JSONResponse:
    return JSONResponse({"error": message}, status)
