"""Eventarc's part between Firestore and the triggers, with the accidents that it may have."""

import asyncio
import base64
import random
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import httpx
import msgspec
from google.events.cloud.firestore import DocumentEventData
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.fence import Fence
from local.tls import TLS

_AT_ONCE = 8
_ATTEMPT_SECONDS = 540
# Production waits for an instance to start; here the functions may be restarting.
_START_SECONDS = 15
_START_POLL_SECONDS = 0.1
_FAILURES_KEPT = 20


class Accidents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What goes wrong on the way: all events lost, delivered `copies` times, late and shuffled.

    Each copy of an event waits a random time of at most `delay_seconds`, so that with many on the
    way they arrive in any order.
    """

    drop: bool = False
    copies: int = 1
    delay_seconds: float = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the events so far; `unchanged` ones production would not have sent."""

    received: int = 0
    unchanged: int = 0
    dropped: int = 0
    delivered: int = 0
    failed: int = 0


class Relay:
    """Takes the emulator's events and calls the trigger functions, once and without a retry."""

    def __init__(self, functions_url: str, sign: Callable[[], str], fence: Fence) -> None:
        self._functions_url = functions_url
        self._sign = sign
        self._fence = fence
        self._accidents = Accidents()
        self._counts = Counts()
        self._failures: list[str] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._http = httpx.AsyncClient(timeout=_ATTEMPT_SECONDS, trust_env=False, verify=TLS)

    def routes(self) -> list[Route]:
        """Where the emulator sends events, and `/relay`: GET the state, PUT accidents, DELETE."""
        path = "/functions/projects/{project}/triggers/{function}"
        return [
            Route(path, self._receive, methods=["POST"]),
            Route("/relay", self._show, methods=["GET"]),
            Route("/relay", self._change, methods=["PUT"]),
            Route("/relay", self._reset, methods=["DELETE"]),
        ]

    def status(self) -> dict[str, object]:
        """The accidents in force, the counts, and how busy the relay is."""
        return {
            "accidents": msgspec.to_builtins(self._accidents),
            **asdict(self._counts),
            "pending": len(self._tasks),
            "failures": self._failures,
        }

    def activity(self) -> object:
        """Something that differs whenever an event has come or gone in between."""
        return self._counts, len(self._tasks)

    async def settle(self) -> None:
        """Wait until all events of writes that came before have been received and delivered.

        The emulator sends its events in order, so a write of our own marks the end of the others.
        """
        await self._fence.pass_through()
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """Break off what is on the way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._http.aclose()

    async def _receive(self, request: Request) -> Response:
        function = request.path_params["function"]
        event = base64.b64decode(await request.body())
        if self._fence.recognises(function, event):
            return Response(status_code=204)
        if _unchanged(event):
            self._count(received=1, unchanged=1)
        elif self._accidents.drop:
            self._count(received=1, dropped=1)
        else:
            self._count(received=1)
            headers = {k: v for k, v in request.headers.items() if k.startswith("ce-")}
            for _ in range(self._accidents.copies):
                self._dispatch(function, headers, event)
        # The emulator sends one event at a time and would wait for the function otherwise.
        return Response(status_code=204)

    def _dispatch(self, function: str, headers: dict[str, str], event: bytes) -> None:
        task = asyncio.create_task(self._deliver(function, headers, event))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, function: str, headers: dict[str, str], event: bytes) -> None:
        # Not a matter of secrets: the order shall merely vary.
        await asyncio.sleep(random.uniform(0, self._accidents.delay_seconds))  # noqa: S311
        async with self._slots:
            try:
                answer = await self._post(function, headers, event)
                problem = "" if answer.is_success else f"{answer.status_code} {answer.text[:200]}"
            except httpx.HTTPError as error:
                problem = repr(error)
        if problem:
            self._count(failed=1)
            self._failures = [*self._failures, f"{function}: {problem}"][-_FAILURES_KEPT:]
        else:
            self._count(delivered=1)

    async def _post(self, function: str, headers: dict[str, str], event: bytes) -> httpx.Response:
        headers |= {
            "content-type": "application/protobuf",
            "authorization": f"Bearer {self._sign()}",
        }
        give_up = time.monotonic() + _START_SECONDS
        while True:
            try:
                return await self._http.post(
                    f"{self._functions_url}/{function}", headers=headers, content=event
                )
            except httpx.ConnectError:
                if time.monotonic() > give_up:
                    raise
                await asyncio.sleep(_START_POLL_SECONDS)

    async def _show(self, _: Request) -> JSONResponse:
        return JSONResponse(self.status())

    async def _change(self, request: Request) -> JSONResponse:
        try:
            self._accidents = msgspec.json.decode(await request.body(), type=Accidents)
        except msgspec.MsgspecError as error:
            return JSONResponse({"error": str(error)}, 422)
        return JSONResponse(self.status())

    async def _reset(self, _: Request) -> JSONResponse:
        self._accidents = Accidents()
        self._counts = Counts()
        self._failures = []
        return JSONResponse(self.status())

    def _count(self, **more: int) -> None:
        totals = {name: getattr(self._counts, name) + n for name, n in more.items()}
        self._counts = replace(self._counts, **totals)


def _unchanged(event: bytes) -> bool:
    data = DocumentEventData.pb(DocumentEventData.deserialize(event))
    both = data.HasField("value") and data.HasField("old_value")
    return bool(both and data.value.fields == data.old_value.fields)
