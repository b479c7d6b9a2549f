"""What the pod connects to: judged at the socket, whatever leads there."""

import asyncio
import http.server
import socket
from collections.abc import Iterator, Sequence

import pytest

from crawler_pod.attempts import FetchFailed, Page
from crawler_pod.fetching import Fetcher
from crawler_pod.guard import Guard, literal
from crawler_pod.pace import OwnPace
from shared.clients.guarded_network import Refused
from shared.crawling.recipes import Limits
from tests.unit.crawler_pod.private_answers import PRIVATE_ANSWERS
from tests.unit.crawler_pod.sites import served

HOST = "127.0.0.1"
HOSTS = """
    127.0.0.1 [::1] [::ffff:127.0.0.1] [::ffff:7f00:1] 169.254.169.254
    metadata.google.internal METADATA.google.internal. 2130706433 0x7f000001 0177.0.0.1
    017700000001 127.1 0 10.0.0.1 192.168.1.1 172.16.0.9 100.64.0.1 [fe80::1] [fd00:ec2::254]
    [64:ff9b::7f00:1] [2002:7f00:1::] localhost localhost. [::] 224.0.0.1 255.255.255.255
    2852039166
"""
REFUSED = HOSTS.split()
LIMITS = Limits(delay_seconds=0, attempts=1, page_seconds=5)


class Site(http.server.BaseHTTPRequestHandler):
    """Redirects to whatever its path says."""

    seen: list[str]

    def do_GET(self) -> None:
        self.seen.append(self.path)
        self.send_response(302 if self.path.startswith("/to/") else 200)
        self.send_header("Content-Type", "text/html")
        if self.path.startswith("/to/"):
            self.send_header("Location", self.path.removeprefix("/to/"))
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"page")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def running() -> Iterator[http.server.ThreadingHTTPServer]:
    with served(Site) as server:
        yield server


@pytest.fixture
def site(running: http.server.ThreadingHTTPServer) -> http.server.ThreadingHTTPServer:
    running.RequestHandlerClass.seen.clear()  # type: ignore[attr-defined]
    return running


async def anything(_: str) -> None:
    """Permits every address: the guard is what is tested."""


def fetched(guard: Guard, url: str, attempts: int = 1) -> list[Page]:
    async def fetch() -> list[Page]:
        async with Fetcher(guard, OwnPace(), LIMITS) as fetcher:
            return [await fetcher.page(url, 0, anything) for _ in range(attempts)]

    return asyncio.run(fetch())


def refused(guard: Guard, url: str) -> None:
    with pytest.raises(FetchFailed) as caught:
        fetched(guard, url)
    # Where a resolver takes it, this name is refused for its address; others take it for none.
    nowhere = "connection" if "//localhost./" in url else "refused"
    assert caught.value.kind in ("refused", nowhere), caught.value


@pytest.mark.parametrize("host", REFUSED)
def test_no_such_host_is_asked(host: str) -> None:
    refused(Guard(), f"http://{host}/")


@pytest.mark.parametrize("host", REFUSED)
def test_no_redirect_leads_to_such_a_host(host: str, site: http.server.ThreadingHTTPServer) -> None:
    port = site.server_address[1]
    refused(Guard((HOST, port)), f"http://{HOST}:{port}/to/http://{host}/")

    assert [path for path in site.RequestHandlerClass.seen if "/to/" not in path] == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://1.1.1.1/",
        "gopher://1.1.1.1/",
        "http:///",
        "http://a:b@1.1.1.1/",
    ],
)
def test_nothing_but_http_to_a_host_is_spoken(url: str) -> None:
    with pytest.raises(Refused):
        Guard().check_url(url)


@pytest.mark.parametrize("port", [22, 25, 6379, 9200])
def test_a_public_address_is_reached_at_usual_ports_only(port: int) -> None:
    refused(Guard(), f"http://1.1.1.1:{port}/")


@pytest.mark.parametrize("addresses", PRIVATE_ANSWERS)
def test_a_name_that_resolves_to_a_private_address_is_refused(addresses: list[str]) -> None:
    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return addresses

    with pytest.raises(FetchFailed) as caught:
        fetched(Guard(resolve=resolve), "http://shop.example/")
    assert caught.value.kind == "refused"


def test_a_name_that_changes_its_address_gains_nothing(
    site: http.server.ThreadingHTTPServer,
) -> None:
    """Whatever it resolves to is what is checked, and what was checked is connected to."""
    port = site.server_address[1]
    asked: list[str] = []

    async def resolve(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1" if len(asked) == 1 else "127.0.0.2"]

    async def fetch() -> None:
        guard = Guard((HOST, port), resolve)
        async with Fetcher(guard, OwnPace(), LIMITS) as fetcher:
            await fetcher.page(f"http://shop.example:{port}/", 0, anything)
        async with Fetcher(guard, OwnPace(), LIMITS) as fetcher:
            await fetcher.page(f"http://shop.example:{port}/again", 0, anything)

    with pytest.raises(FetchFailed) as caught:
        asyncio.run(fetch())
    assert caught.value.kind == "refused"
    assert asked == ["shop.example"] * 2
    assert site.RequestHandlerClass.seen == ["/"]  # type: ignore[attr-defined]


def test_the_socket_is_judged_even_where_nothing_was_before_it() -> None:
    target = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("169.254.169.254", 80))
    with pytest.raises(Refused):
        Guard().make_socket(target)


def test_what_is_opened_is_one_address_at_one_port() -> None:
    guard = Guard((HOST, 9999))

    guard.check(HOST, 9999)
    for address, port in ((HOST, 9998), ("127.0.0.2", 9999), ("::1", 9999), ("10.0.0.1", 9999)):
        with pytest.raises(Refused):
            guard.check(address, port)


@pytest.mark.parametrize(
    ("host", "address"),
    [("1.1.1.1", "1.1.1.1"), ("127.1", "127.0.0.1"), ("0x7f.1", "127.0.0.1"), ("::1", "::1")],
)
def test_an_address_is_known_in_each_of_its_forms(host: str, address: str) -> None:
    assert literal(host) == address
    assert literal("shop.example") is None
