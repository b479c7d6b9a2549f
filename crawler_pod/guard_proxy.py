"""A proxy on loopback through which a browser reaches what the guard permits, and nothing else."""

import asyncio
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from crawler_pod.guard import Guard
from shared.clients.guarded_network import Refused

HOST: Final = "127.0.0.1"
MOST_HEAD_BYTES: Final = 64 * 1024
_PIECE_BYTES: Final = 64 * 1024
_CONNECT_SECONDS: Final = 10.0
_HOP_BY_HOP: Final = ("connection:", "proxy-connection:", "keep-alive:", "proxy-authorization:")


class _Refusal(Exception):
    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


class GuardProxy:
    """Plain requests one in each connection, and tunnels; `most_bytes` of each are passed on.

    Use as an asynchronous context; `url` is where it listens.
    """

    def __init__(self, guard: Guard, most_bytes: int) -> None:
        self._guard = guard
        self._most_bytes = most_bytes
        self._open: set[asyncio.Task[None]] = set()
        self.url = ""

    async def start(self) -> None:
        """Listens at a port of its own."""
        self._server = await asyncio.start_server(self._served, HOST, 0, limit=MOST_HEAD_BYTES)
        self.url = f"http://{HOST}:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        """Ends every connection."""
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio runs this as one
        self._open.add(task)
        try:
            await self._passed(reader, writer)
        except _Refusal as refusal:
            with suppress(OSError):
                answer = (
                    f"HTTP/1.1 {refusal.status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                )
                writer.write(answer.encode())
                await writer.drain()
        except (OSError, EOFError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            writer.close()

    async def _passed(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except asyncio.LimitOverrunError:
            raise _Refusal("431 Request Header Fields Too Large") from None
        request, *lines = head[:-4].split("\r\n")
        method, target, version = _words(request)
        url = f"https://{target}/" if method == "CONNECT" else target
        there, on = await self._connected(url)
        try:
            if method == "CONNECT":
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                on.write(_forwarded(method, url, version, lines))
            await self._both_ways((reader, on), (there, writer))
        finally:
            on.close()

    async def _connected(self, url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to a checked address."""
        try:
            self._guard.check_url(url)
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
            addresses = await self._guard.addresses(parts.hostname or "", port)
        except (Refused, ValueError):
            raise _Refusal("403 Forbidden") from None
        except OSError:
            raise _Refusal("502 Bad Gateway") from None
        for address in addresses:
            with suppress(OSError, TimeoutError):
                return await asyncio.wait_for(
                    asyncio.open_connection(address, port), _CONNECT_SECONDS
                )
        raise _Refusal("502 Bad Gateway")

    async def _both_ways(self, *ways: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
        """Until the side that answers has ended, or has said too much."""
        out, back = (asyncio.create_task(self._piped(*way)) for way in ways)
        try:
            await back
        finally:
            out.cancel()
            await asyncio.gather(out, back, return_exceptions=True)

    async def _piped(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        passed = 0
        while passed <= self._most_bytes and (piece := await reader.read(_PIECE_BYTES)):
            passed += len(piece)
            writer.write(piece)
            await writer.drain()


def _words(request: str) -> tuple[str, str, str]:
    words = request.split(" ")
    if len(words) != 3:  # noqa: PLR2004 - method, target, version
        raise _Refusal("400 Bad Request")
    return words[0], words[1], words[2]


def _forwarded(method: str, url: str, version: str, lines: list[str]) -> bytes:
    """The request as its server expects it, the last one on this connection."""
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    kept = [line for line in lines if not line.lower().startswith(_HOP_BY_HOP)]
    return "\r\n".join([f"{method} {path} {version}", *kept, "Connection: close", "", ""]).encode(
        "latin-1"
    )
