"""Addresses that people give: what is refused, at which step, and how long anything takes."""

import http.server
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from shared import config
from shared.clients import guarded_http
from shared.clients.guarded_http import Ask, Reply
from shared.clients.guarded_network import refusal
from shared.errors import (
    DependencyError,
    DependencyFailed,
    DependencyTimeout,
    DependencyUnavailable,
    Invalid,
)

HOST = "127.0.0.1"
LARGE = 300_000


class Site(http.server.BaseHTTPRequestHandler):
    """Redirects, slow answers, large answers, and what is no HTTP at all."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, str, bytes]]

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers["Host"], b""))
        getattr(self, self.path.strip("/").partition("/")[0], self.missing)()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.path, self.headers["X-Signed"], body))
        self.redirected("/picture")

    def picture(self) -> None:
        self.answer(200, b"a picture")

    def large(self) -> None:
        self.answer(200, b"x" * LARGE)

    def endless(self) -> None:
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        while self.wrote(b"x" * 65536):
            pass

    def slow(self) -> None:
        # A byte at a time keeps any timeout of a single read from ever being over.
        while self.wrote(b"H"):
            time.sleep(0.02)

    def garbage(self) -> None:
        self.wfile.write(b"\x00\x01\x02 no protocol\r\n\r\n")
        self.close_connection = True

    def loop(self) -> None:
        self.redirected("/loop")

    def hop(self) -> None:
        left = int(self.path.rpartition("/")[2])
        self.redirected(f"/hop/{left - 1}" if left > 1 else "picture", relative=left == 1)

    def away(self) -> None:
        self.redirected("http:" + self.path.removeprefix("/away/http:"))

    def scheme(self) -> None:
        self.redirected("file:///etc/passwd")

    def missing(self) -> None:
        self.answer(404, b"")

    def redirected(self, location: str, *, relative: bool = False) -> None:
        self.answer(302, b"", "/" + location if relative else location)

    def answer(self, status: int, body: bytes, location: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if location is not None:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def wrote(self, data: bytes) -> bool:
        try:
            self.wfile.write(data)
        except OSError:
            return False
        return True

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def site() -> Iterator[http.server.ThreadingHTTPServer]:
    handler = type("OneSite", (Site,), {"seen": []})
    server = http.server.ThreadingHTTPServer((HOST, 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def configured(monkeypatch: pytest.MonkeyPatch, **environment: str) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    config.settings.cache_clear()


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing may be local."""
    for name in ("FETCH_LOOPBACK", "FIRESTORE_EMULATOR_HOST"):
        monkeypatch.delenv(name, raising=False)
    configured(monkeypatch, FIREBASE_PROJECT_ID="demo-unit", SECRET_KEY="x" * 32)
    yield
    monkeypatch.undo()
    config.settings.cache_clear()


@pytest.fixture
def locally(production: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - undoes it
    configured(monkeypatch, FETCH_LOOPBACK="1", FIRESTORE_EMULATOR_HOST="127.0.0.1:1")


def address(site: http.server.ThreadingHTTPServer, path: str, host: str = HOST) -> str:
    return f"http://{host}:{site.server_address[1]}{path}"


def fetched(
    url: str, *, seconds: float = 5, most_redirects: int = 3, most_bytes: int = 1000
) -> Reply:
    return guarded_http.get(
        url, most_bytes=most_bytes, most_redirects=most_redirects, seconds=seconds, field="url"
    )


def refused(url: str) -> str:
    with pytest.raises(Invalid) as caught:
        fetched(url)
    assert [error.field for error in caught.value.errors] == ["url"]
    return caught.value.errors[0].message


NOT_PUBLIC = """0.1.2.3 10.0.0.1 100.64.0.1 100.100.100.200 127.0.0.1 127.255.255.254
    169.254.169.254 169.254.0.1 172.16.0.1 172.31.255.255 192.0.0.1 192.0.2.1 192.168.0.1
    198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    :: ::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 64:ff9b::7f00:1
    64:ff9b::a00:1 64:ff9b:1::1 2002:7f00:1:: 2001:0:7f00:1:: 2001:db8::1 fc00::1 fd00:ec2::254
    fe80::1 fe80::1%eth0 fec0::1 ff02::1""".split()  # noqa: SIM905 - one in each line would fill the page


@pytest.mark.parametrize("ip", NOT_PUBLIC)
def test_an_address_that_is_not_public_is_refused(ip: str) -> None:
    assert refusal(ip, 80, loopback=False) is not None


@pytest.mark.parametrize("ip", ["1.1.1.1", "142.250.0.1", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_a_public_address_is_reached_at_usual_ports_only(ip: str) -> None:
    assert refusal(ip, 443, loopback=False) is None
    for port in (22, 25, 6379, 8000):
        assert "ports" in str(refusal(ip, port, loopback=False))


def test_what_local_tests_may_reach_is_loopback_and_no_more() -> None:
    assert refusal("127.0.0.1", 9999, loopback=True) is None
    assert refusal("::1", 9999, loopback=True) is None
    for ip in NOT_PUBLIC:
        if ip not in ("::1", "::ffff:127.0.0.1") and not ip.startswith("127."):
            assert refusal(ip, 80, loopback=True) is not None, ip


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://0/",
        "http://localhost/",
        "http://LOCALHOST./",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://10.1.2.3/",
        "http://169.254.169.254/computeMetadata/v1/",
        "http://\uff11\uff12\uff17.0.0.1/",
        "https://192.168.1.1/",
        "http://1.1.1.1:22/",
        "http://1.1.1.1:6379/",
    ],
)
def test_nothing_connects_to_such_an_address_however_it_is_written(url: str) -> None:
    # To some systems' resolvers these two are no addresses, and so lead nowhere at all.
    nowhere = (DependencyUnavailable,) if "LOCALHOST." in url or "\uff11" in url else ()
    with pytest.raises((Invalid, *nowhere)):
        fetched(url)


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "//1.1.1.1/",
        "file:///etc/passwd",
        "gopher://1.1.1.1/",
        "ftp://1.1.1.1/",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "http://",
        "http:///path",
        "http://[::1",
        "http://1.1.1.1:99999/",
        "http://1.1.1.1:port/",
        "http://user:secret@1.1.1.1/",
        "http://1.1.1.1@127.0.0.1/",
        "http://a\r\nHost: b/",
        "http://xn--\u0000/",
        "http://" + "a" * 300 + ".example/",
    ],
)
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises((Invalid, DependencyUnavailable)):
        fetched(url)


@pytest.mark.usefixtures("production")
def test_a_server_on_this_machine_is_never_called(
    site: http.server.ThreadingHTTPServer,
) -> None:
    for host in (HOST, "localhost", "127.0.0.2", "[::ffff:127.0.0.1]"):
        refused(address(site, "/picture", host))
    assert site.RequestHandlerClass.seen == []  # type: ignore[attr-defined]


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize("answers", [["127.0.0.1"], ["1.1.1.1", "127.0.0.1"], ["::1"]])
def test_a_name_is_refused_if_any_of_its_addresses_is(answers: list[str]) -> None:
    with pytest.raises(Invalid, match="not public"):
        guarded_http.send("http://shop.example/", Ask("GET", 10), 5, resolve=lambda *_: answers)


@pytest.mark.usefixtures("locally")
def test_a_name_is_resolved_once_and_its_checked_address_connected_to(
    site: http.server.ThreadingHTTPServer,
) -> None:
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        # Whoever asks a second time is told of the machine that must not be reached.
        return [HOST] if len(asked) == 1 else ["169.254.169.254"]

    url = address(site, "/picture", "shop.example")
    reply = guarded_http.send(url, Ask("GET", 100), 5, resolve=rebinding)
    assert (reply.status, reply.content, asked) == (200, b"a picture", ["shop.example"])
    host = f"shop.example:{site.server_address[1]}"
    assert site.RequestHandlerClass.seen == [("/picture", host, b"")]  # type: ignore[attr-defined]


@pytest.mark.usefixtures("locally")
def test_the_next_address_is_tried_where_one_is_dead(
    site: http.server.ThreadingHTTPServer,
) -> None:
    url = address(site, "/picture", "shop.example")
    reply = guarded_http.send(url, Ask("GET", 100), 5, resolve=lambda *_: ["127.0.0.9", HOST])
    assert reply.whole
    assert reply.content == b"a picture"


@pytest.mark.usefixtures("locally")
@pytest.mark.parametrize("hops", [1, 2, 3])
def test_few_redirects_are_followed(site: http.server.ThreadingHTTPServer, hops: int) -> None:
    reply = fetched(address(site, f"/hop/{hops}"))
    assert reply.content == b"a picture"
    assert reply.url == address(site, "/picture")


@pytest.mark.usefixtures("locally")
@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/hop/4", "more than 3"),
        ("/loop", "more than 3"),
        ("/scheme", "http://"),
        ("/away/http://169.254.169.254/latest", "not public"),
        ("/away/http://10.0.0.1/", "not public"),
        ("/away/http://[::ffff:10.0.0.1]/", "not public"),
        ("/away/http://user@127.0.0.1/", "user name"),
    ],
)
def test_a_redirect_is_checked_like_the_first_address(
    site: http.server.ThreadingHTTPServer, path: str, why: str
) -> None:
    assert why in refused(address(site, path))


@pytest.mark.usefixtures("locally")
def test_no_more_is_read_than_is_allowed(site: http.server.ThreadingHTTPServer) -> None:
    for path in ("/large", "/endless"):
        reply = fetched(address(site, path), most_bytes=1000)
        assert not reply.whole
        assert len(reply.content) == 1000
    assert fetched(address(site, "/large"), most_bytes=LARGE).whole


@pytest.mark.usefixtures("locally")
def test_a_server_that_drips_holds_nobody_up(site: http.server.ThreadingHTTPServer) -> None:
    began = time.monotonic()
    with pytest.raises(DependencyTimeout):
        fetched(address(site, "/slow"), seconds=0.5)
    assert time.monotonic() - began < 5


@pytest.mark.usefixtures("locally")
def test_a_resolver_that_hangs_holds_nobody_up() -> None:
    released = threading.Event()

    def hanging(_host: str, _port: int) -> Sequence[str]:
        released.wait(20)
        return [HOST]

    with pytest.raises(DependencyTimeout):
        guarded_http.send("http://shop.example/", Ask("GET", 10), 0.2, resolve=hanging)
    released.set()


@pytest.mark.usefixtures("locally")
def test_what_is_no_http_is_the_other_side_s_failure(
    site: http.server.ThreadingHTTPServer,
) -> None:
    with pytest.raises(DependencyFailed):
        fetched(address(site, "/garbage"))
    with pytest.raises(DependencyError):
        fetched("http://127.0.0.1:9/")


@pytest.mark.usefixtures("locally")
def test_a_post_carries_its_headers_and_follows_no_redirect(
    site: http.server.ThreadingHTTPServer,
) -> None:
    reply = guarded_http.post(address(site, "/hook"), b"{}", {"X-Signed": "yes"})
    assert (reply.status, reply.headers["location"]) == (302, "/picture")
    assert site.RequestHandlerClass.seen == [("/hook", "yes", b"{}")]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "url",
    [
        "https://10.0.0.1/x",
        "https://[::1]/x",
        "https://[::ffff:169.254.169.254]/x",
        "https://93.184.216.34:22/x",
        "ftp://hooks.example/x",
        "https:///x",
        "https://user:pass@hooks.example/x",
    ],
)
@pytest.mark.usefixtures("production")
def test_an_address_can_be_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        guarded_http.check_address(url, "webhook_url")
    assert caught.value.errors[0].field == "webhook_url"


@pytest.mark.usefixtures("production")
def test_a_name_is_not_resolved_to_be_checked() -> None:
    guarded_http.check_address("https://nowhere.invalid/x", "webhook_url")
    guarded_http.check_address("https://93.184.216.34/x", "webhook_url")
