"""The service's door and its sockets: `/ws/crawler`, opened by a ticket.

The ticket comes as a sub-protocol beside `shopple.crawler`, or as a bearer token, and is used up
by the handshake. It is never part of an address, which logs would keep.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from live.board import Board, Outbox
from live.listening import Listener
from shared.edge import session_records, tickets
from shared.edge.request import Session
from shared.errors import (
    DependencyUnavailable,
    Forbidden,
    LimitExceeded,
    NotFound,
    ShoppleError,
    Unauthenticated,
)

log = logging.getLogger(__name__)

PATH: Final = "/ws/crawler"
PURPOSE: Final = "crawler"
PROTOCOL: Final = Subprotocol("shopple.crawler")
PING_SECONDS: Final = 15.0
SUBSCRIBE_SECONDS: Final = 10.0
# Cloud Run may send one instance this many, and more than a few of one user are a mistake.
MOST_SOCKETS: Final = 500
MOST_SOCKETS_OF_ONE: Final = 20
MOST_JOBS: Final = 100
# Each is a read, and an answer that waits: of all messages of a socket together.
MOST_ASKED: Final = 1_000
MOST_MESSAGE_BYTES: Final = 16_384
# After its first hour a session lives on as long as its user is active.
LOOK_AGAIN_SECONDS: Final = 60.0
NORMAL: Final = 1000
REFUSED: Final = 1008
TRY_AGAIN: Final = 1013

JobId = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}$")]


class Subscribe(msgspec.Struct, forbid_unknown_fields=True):
    """What a client sends: which crawls it wants to hear of."""

    subscribe: Annotated[list[JobId], Meta(min_length=1, max_length=MOST_JOBS)] | Literal["all"]


class Absent(msgspec.Struct):
    """What it is told of a crawl that there is not."""

    job_id: str
    error: str = "There is no such crawl."


class Service:
    """All sockets of one process; a client that answers no ping for `pong_seconds` is gone."""

    def __init__(
        self, origin: str, ping_seconds: float = PING_SECONDS, pong_seconds: float = PING_SECONDS
    ) -> None:
        self._origin = origin
        self._ping_seconds = ping_seconds
        self._pong_seconds = pong_seconds
        self._board = Board()

    @asynccontextmanager
    async def listening_at(self, host: str, port: int) -> AsyncIterator[Server]:
        """Serve until the block ends; open sockets are then told that the service goes away."""
        self._listener = Listener(self._board)
        async with serve(
            self._serve,
            host,
            port,
            process_request=self._admit,
            select_subprotocol=_chosen,
            ping_interval=self._ping_seconds,
            ping_timeout=self._pong_seconds,
            close_timeout=2,
            max_size=MOST_MESSAGE_BYTES,
            max_queue=4,
            write_limit=MOST_MESSAGE_BYTES,
            compression=None,
            server_header=None,
        ) as server:
            yield server

    async def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """None lets the handshake go on; everything else is the answer to it."""
        if request.path == "/health":
            return _answer(HTTPStatus.OK, "healthy")
        try:
            session = await self._admitted(request)
        except ShoppleError as refusal:
            return _answer(HTTPStatus(refusal.status), refusal.detail)
        connection.shopple_session = session  # type: ignore[attr-defined]
        return None

    async def _admitted(self, request: Request) -> Session:
        if request.path != PATH:
            raise NotFound("There is nothing at this path.")
        # Programs send none; a browser always says where its page is from.
        if request.headers.get("Origin", self._origin) != self._origin:
            raise Forbidden("This page may not open sockets here.")
        if self._board.sockets >= MOST_SOCKETS:
            raise DependencyUnavailable("There are too many sockets.")
        session = await asyncio.to_thread(tickets.redeem, _ticket(request.headers), PURPOSE)
        if not session.admin:
            raise Forbidden("This needs an admin.")
        if self._board.sockets_of(session.uid) >= MOST_SOCKETS_OF_ONE:
            raise LimitExceeded(int(LOOK_AGAIN_SECONDS))
        return session

    async def _serve(self, connection: ServerConnection) -> None:
        session: Session = connection.shopple_session  # type: ignore[attr-defined]
        outbox = self._board.open(session)
        try:
            async with self._listener:
                code, reason = await self._attend(connection, outbox)
            await connection.close(code, reason)
        except ConnectionClosed:
            pass
        finally:
            self._board.close(outbox)

    async def _attend(self, connection: ServerConnection, outbox: Outbox) -> tuple[int, str]:
        """Serve one socket until something ends it; how it is to be closed."""
        work = [
            asyncio.create_task(each)
            for each in (
                self._receive(connection, outbox),
                _send(connection, outbox),
                _watch_session(outbox),
                _ended(outbox),
            )
        ]
        try:
            finished, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
            return finished.pop().result()
        finally:
            for each in work:
                each.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    async def _receive(self, connection: ServerConnection, outbox: Outbox) -> tuple[int, str]:
        try:
            async with asyncio.timeout(SUBSCRIBE_SECONDS):
                await self._subscribe(outbox, await connection.recv())
            async for message in connection:
                await self._subscribe(outbox, message)
        except TimeoutError:
            return REFUSED, "Nothing was asked for in time."
        except msgspec.DecodeError:
            return REFUSED, 'Send {"subscribe": [job ids]} or {"subscribe": "all"}.'
        except LimitExceeded:
            return REFUSED, "One socket asked for too many crawls."
        except ShoppleError:
            log.exception("A subscription could not be served")
            return TRY_AGAIN, "The database cannot be reached."
        return NORMAL, ""

    async def _subscribe(self, outbox: Outbox, message: str | bytes) -> None:
        wanted = msgspec.json.decode(message, type=Subscribe).subscribe
        outbox.asked += 1 if wanted == "all" else len(wanted)
        if outbox.asked > MOST_ASKED:
            raise LimitExceeded(int(LOOK_AGAIN_SECONDS))
        await self._listener.ready()
        unknown = self._board.subscribe(outbox, None if wanted == "all" else wanted)
        if not unknown:
            return
        states = await self._listener.read(unknown)
        for state in states:
            self._board.answer(outbox, state)
        for job_id in set(unknown) - {state.job_id for state in states}:
            outbox.refuse(job_id, msgspec.json.encode(Absent(job_id)).decode())


async def _send(connection: ServerConnection, outbox: Outbox) -> tuple[int, str]:
    while True:
        # Waits while the client is slow; what changes meanwhile replaces what is not sent yet.
        await connection.send(await outbox.take())
        if outbox.done:
            return NORMAL, "All of them have ended."


async def _ended(outbox: Outbox) -> tuple[int, str]:
    return REFUSED, await outbox.ending


async def _watch_session(outbox: Outbox) -> tuple[int, str]:
    session = outbox.session
    await asyncio.sleep(max(0.0, session.expires_at - time.time()))
    while True:
        try:
            await asyncio.to_thread(session_records.read, session.id, time.time())
        except Unauthenticated as ended:
            return REFUSED, ended.detail
        except ShoppleError:
            log.exception("A session could not be read")
        await asyncio.sleep(LOOK_AGAIN_SECONDS)


def _ticket(headers: Headers) -> str:
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token
    offered = ",".join(headers.get_all("Sec-WebSocket-Protocol")).split(",")
    for each in offered:
        if (name := each.strip()) and name != PROTOCOL:
            return name
    raise Unauthenticated("A ticket is required.")


def _chosen(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    # Browsers give up where none of theirs is taken; a used ticket tells nobody anything.
    return PROTOCOL if PROTOCOL in offered else next(iter(offered), None)


def _answer(status: HTTPStatus, text: str) -> Response:
    headers = Headers({"Content-Type": "text/plain", "Cache-Control": "no-store"})
    body = text.encode()
    headers["Content-Length"] = str(len(body))
    headers["Connection"] = "close"
    return Response(status.value, status.phrase, headers, body)
