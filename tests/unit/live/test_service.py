"""What the service's server is told of its sockets."""

import asyncio

import httpx
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from live.service import Service
from local.ports import HOST


class Noting(Service):
    """Keeps the connections that came."""

    def __init__(self) -> None:
        super().__init__("https://admin.shopple.example")
        self.came: list[ServerConnection] = []

    async def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        self.came.append(connection)
        return await super()._admit(connection, request)


def test_a_socket_is_pinged_every_15_seconds_and_given_up_15_seconds_later() -> None:
    async def come() -> ServerConnection:
        service = Noting()
        async with (
            service.listening_at(HOST, 0) as server,
            httpx.AsyncClient(trust_env=False) as http,
        ):
            port = next(iter(server.sockets)).getsockname()[1]
            assert (await http.get(f"http://{HOST}:{port}/health")).status_code == 200
        return service.came[0]

    connection = asyncio.run(come())
    assert (connection.ping_interval, connection.ping_timeout) == (15, 15)
