"""What a browser reaches through the proxy, and what it is refused."""

import asyncio
import http.server
from collections.abc import Iterator, Sequence

import pytest

from crawler_pod.guard import Guard
from crawler_pod.guard_proxy import GuardProxy
from tests.unit.crawler_pod.private_answers import PRIVATE_ANSWERS
from tests.unit.crawler_pod.sites import served

HOST = "127.0.0.1"
REFUSED = (
    *("127.0.0.1:1", "169.254.169.254:80", "[::1]:80", "[::ffff:127.0.0.1]:80", "2130706433:80"),
    *("0177.0.0.1:80", "10.0.0.1:443", "metadata.google.internal:80", "localhost:80", "1.1.1.1:22"),
)
SAID = b"x" * 300_000


class Site(http.server.BaseHTTPRequestHandler):
    """Answers with much, and keeps what it was asked."""

    seen: list[tuple[str, str | None]]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers["Proxy-Connection"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(SAID)))
        self.end_headers()
        self.wfile.write(SAID)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[http.server.ThreadingHTTPServer]:
    with served(Site) as server:
        yield server


def answered(request: bytes, guard: Guard, most_bytes: int = 10**6) -> bytes:
    """All that the proxy says to one request."""

    async def ask() -> bytes:
        proxy = GuardProxy(guard, most_bytes)
        await proxy.start()
        try:
            port = int(proxy.url.rpartition(":")[2])
            reader, writer = await asyncio.open_connection(HOST, port)
            writer.write(request)
            said = await asyncio.wait_for(reader.read(-1), 10)
            writer.close()
            return said
        finally:
            await proxy.close()

    return asyncio.run(ask())


@pytest.mark.parametrize("host", REFUSED)
def test_a_tunnel_or_a_request_to_such_a_host_is_refused(host: str) -> None:
    for request in (f"CONNECT {host} HTTP/1.1", f"GET http://{host}/ HTTP/1.1"):
        said = answered(f"{request}\r\nHost: {host}\r\n\r\n".encode(), Guard((HOST, 9)))
        assert said.startswith(b"HTTP/1.1 403 "), (request, said[:80])


@pytest.mark.parametrize("addresses", PRIVATE_ANSWERS)
@pytest.mark.parametrize("port", [80, 443])
def test_a_name_that_resolves_to_a_private_address_is_refused(
    addresses: list[str], port: int
) -> None:
    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return addresses

    for request in (
        f"CONNECT shop.example:{port} HTTP/1.1",
        f"GET http://shop.example:{port}/ HTTP/1.1",
    ):
        said = answered(f"{request}\r\n\r\n".encode(), Guard(resolve=resolve))
        assert said.startswith(b"HTTP/1.1 403 "), (request, said[:80])


@pytest.mark.parametrize("method", ["CONNECT", "GET"])
def test_a_name_that_changes_its_address_gains_nothing(
    method: str, site: http.server.ThreadingHTTPServer
) -> None:
    """Each connection asks once, and goes to the very address that was checked."""
    port, asked = site.server_address[1], list[str]()
    site.RequestHandlerClass.seen.clear()  # type: ignore[attr-defined]

    async def resolve(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return [HOST if len(asked) == 1 else "127.0.0.2"]

    guard = Guard((HOST, port), resolve)
    # Nothing but the resolver knows this name: what answers is what was checked.
    ways = {
        "CONNECT": f"CONNECT shop.example:{port} HTTP/1.1\r\n\r\nGET /",
        "GET": f"GET http://shop.example:{port}/",
    }
    request = f"{ways[method]} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n".encode()
    assert answered(request, guard).startswith(b"HTTP/1.1 200 ")
    assert len(asked) == 1
    assert answered(request, guard).startswith(b"HTTP/1.1 403 ")
    assert asked == ["shop.example"] * 2
    assert [path for path, _ in site.RequestHandlerClass.seen] == ["/"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "request_line", ["GET / HTTP/1.1", "GET file:///etc/passwd HTTP/1.1", "GET"]
)
def test_what_is_no_request_to_a_host_is_refused(request_line: str) -> None:
    assert answered(f"{request_line}\r\n\r\n".encode(), Guard()).startswith(b"HTTP/1.1 40")


def test_a_request_is_passed_on_as_its_server_expects_it(
    site: http.server.ThreadingHTTPServer,
) -> None:
    port = site.server_address[1]
    head = f"GET http://{HOST}:{port}/a?b=c HTTP/1.1\r\nHost: {HOST}:{port}\r\n"
    said = answered(f"{head}Proxy-Connection: keep-alive\r\n\r\n".encode(), Guard((HOST, port)))

    assert said.startswith(b"HTTP/1.1 200 ")
    assert said.endswith(SAID)
    assert site.RequestHandlerClass.seen[-1] == ("/a?b=c", None)  # type: ignore[attr-defined]


def test_a_tunnel_is_cut_where_it_carries_too_much(
    site: http.server.ThreadingHTTPServer,
) -> None:
    port = site.server_address[1]
    request = f"CONNECT {HOST}:{port} HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    said = answered(request, Guard((HOST, port)), most_bytes=100_000)

    assert b"HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 200 OK" in said[:200]
    assert len(said) < 200_000
