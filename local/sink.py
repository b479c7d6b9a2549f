"""Where posts to Slack and to webhooks end on this machine, kept to be looked at.

A box refuses them or is slow on demand.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

_KEPT = 500


class Accidents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a box answers: `status`, to the next `times` posts or to all; each so late."""

    status: int = 200
    times: int | None = None
    delay_seconds: float = 0


@dataclass(slots=True)
class _Box:
    accidents: Accidents = field(default_factory=Accidents)
    messages: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_KEPT))


class Sink:
    """Boxes by name; whoever posts to one that is not there yet makes it."""

    def __init__(self) -> None:
        self._boxes: dict[str, _Box] = {}

    def routes(self) -> list[Route]:
        """`/sink/{box}`: POST a message, GET all, PUT accidents, DELETE both."""
        return [
            Route("/sink/{box}", self._take, methods=["POST"]),
            Route("/sink/{box}", self._show, methods=["GET"]),
            Route("/sink/{box}", self._change, methods=["PUT"]),
            Route("/sink/{box}", self._reset, methods=["DELETE"]),
        ]

    def page(self) -> dict[str, Any]:
        """The messages of all boxes that were accepted, newest first."""
        taken = (m for box in self._boxes.values() for m in box.messages if m["status"] < 300)  # noqa: PLR2004 - RFC 9110
        return {"messages": sorted(taken, key=lambda message: message["at"], reverse=True)}

    async def _take(self, request: Request) -> Response:
        box = self._box(request)
        body = await request.body()
        accidents = box.accidents
        if accidents.times is not None:
            left = accidents.times - 1
            box.accidents = (
                msgspec.structs.replace(accidents, times=left) if left > 0 else Accidents()
            )
        await asyncio.sleep(accidents.delay_seconds)
        message = {
            "at": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "box": request.path_params["box"],
            "status": accidents.status,
            "headers": dict(request.headers),
            "body": body.decode(errors="replace"),
            **dict(_text(body)),
        }
        box.messages.append(message)
        return Response("ok" if accidents == Accidents() else "", accidents.status)

    async def _show(self, request: Request) -> JSONResponse:
        return JSONResponse({"messages": list(self._box(request).messages)[::-1]})

    async def _change(self, request: Request) -> JSONResponse:
        try:
            wanted = msgspec.json.decode(await request.body(), type=Accidents)
        except msgspec.MsgspecError as error:
            return JSONResponse({"error": str(error)}, 422)
        self._box(request).accidents = wanted
        return JSONResponse(msgspec.to_builtins(wanted))

    async def _reset(self, request: Request) -> JSONResponse:
        self._boxes.pop(request.path_params["box"], None)
        return JSONResponse({})

    def _box(self, request: Request) -> _Box:
        return self._boxes.setdefault(request.path_params["box"], _Box())


def _text(body: bytes) -> Iterator[tuple[str, str]]:
    """What Slack would show, where the body is a message to it."""
    try:
        told = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return
    if isinstance(told, dict) and isinstance(told.get("text"), str):
        yield "text", told["text"]
