"""WebSockets at the gateway's port: Hosting has none, so this leads to the service that has.

The service sees the caller's own headers, and its refusal of a handshake is the caller's answer.
"""

import asyncio
from contextlib import suppress
from typing import Any

from starlette.responses import Response
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from local.ports import HOST

PATH = "/ws/crawler"
_PASSED_ON = ("origin", "authorization")
_OPEN_SECONDS = 10
_NORMAL = 1000


def route(port: int) -> WebSocketRoute:
    """The path of the sockets, before the service at `port`."""

    async def relay(socket: WebSocket) -> None:
        try:
            async with _connected(socket, port) as service:
                await socket.accept(service.subprotocol)
                await _relayed(socket, service)
        except InvalidStatus as refused:
            answer = refused.response
            await socket.send_denial_response(
                Response(bytes(answer.body or b""), answer.status_code)
            )
        except OSError:
            await socket.send_denial_response(Response("The service cannot be reached.", 503))

    return WebSocketRoute(PATH, relay)


def _connected(socket: WebSocket, port: int) -> Any:
    headers = {name: socket.headers[name] for name in _PASSED_ON if name in socket.headers}
    return connect(
        f"ws://{HOST}:{port}{socket.url.path}",
        subprotocols=socket.scope["subprotocols"] or None,
        additional_headers=headers,
        open_timeout=_OPEN_SECONDS,
        compression=None,
        proxy=None,
        # Both ends ping for themselves.
        ping_interval=None,
    )


async def _relayed(socket: WebSocket, service: ClientConnection) -> None:
    both = [asyncio.create_task(each) for each in (_up(socket, service), _down(socket, service))]
    _, pending = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    for each in pending:
        each.cancel()
    await asyncio.gather(*both, return_exceptions=True)


async def _up(socket: WebSocket, service: ClientConnection) -> None:
    with suppress(WebSocketDisconnect, ConnectionClosed):
        while True:
            await service.send(await socket.receive_text())


async def _down(socket: WebSocket, service: ClientConnection) -> None:
    with suppress(RuntimeError):
        try:
            async for message in service:
                await socket.send_text(str(message))
        except ConnectionClosed:
            pass
        await socket.close(service.close_code or _NORMAL, service.close_reason)
