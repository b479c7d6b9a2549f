"""A pod and the product: orders, leases, last words, and a result that is stored once."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import msgspec
import pytest
from aiohttp import web

from crawler_pod import backend as backend_module
from crawler_pod import cloud_storing, ordered
from crawler_pod.backend import Backend, Superseded, Unreachable
from crawler_pod.cloud_storing import Bucket, StoringFailed
from crawler_pod.metadata import Identity
from crawler_pod.pace import OwnPace, Resting
from crawler_pod.running import Around, Refusal
from shared.crawling.recipes import Job, Recipe
from shared.crawling.results import Manifest, Progress

HELD = {"status": "running", "stop": False, "lease_seconds": 0.4}
FIGURES = Progress(1, 9, 1, 1.0, None)
Reply = Callable[[dict[str, Any], int], tuple[int, Any]]


def ran(reply: Reply, use: Callable[[Backend, asyncio.Event], Awaitable[None]]) -> list[Any]:
    """Has a backend use a product that answers so; what it was told."""
    told: list[Any] = []

    async def report(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer a.e30.c"
        told.append(msgspec.json.decode(await request.read()))
        status, body = reply(told[-1], len(told))
        return web.json_response(body, status=status)

    async def identity(request: web.Request) -> web.Response:
        assert request.headers["Metadata-Flavor"] == "Google"
        return web.Response(text="a.e30.c")

    async def run() -> None:
        app = web.Application()
        app.router.add_post("/report", report)
        app.router.add_get("/{rest:.*}", identity)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        stop = asyncio.Event()
        async with aiohttp.ClientSession() as http:
            made = Backend(http, f"{url}/report", 7, Identity(http, "us", url), stop)
            await use(made, stop)
        await runner.cleanup()

    asyncio.run(run())
    return told


class Work:
    """A crawl that never ends by itself, and whether it was broken off."""

    def __init__(self) -> None:
        self.cancelled = False

    async def run(self) -> Manifest:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        raise AssertionError


def test_a_pod_that_is_not_heard_for_a_lease_ends_by_itself() -> None:
    work = Work()

    async def use(backend: Backend, _: asyncio.Event) -> None:
        await backend.progress(FIGURES)
        with pytest.raises(Superseded):
            await backend.while_held(work.run())

    told = ran(lambda _, times: (200, HELD) if times == 1 else (503, {}), use)
    assert [each["token"] for each in told] == [7]
    assert work.cancelled


def test_a_pod_whose_word_does_not_count_breaks_off_at_once() -> None:
    work = Work()

    async def use(backend: Backend, _: asyncio.Event) -> None:
        await backend.progress(FIGURES)
        held = asyncio.create_task(backend.while_held(work.run()))
        await asyncio.sleep(0)
        await backend.progress(FIGURES)
        with pytest.raises(Superseded):
            await held

    long = HELD | {"lease_seconds": 600}
    ran(lambda _, times: (200, long) if times == 1 else (409, {}), use)
    assert work.cancelled


def test_a_pod_hears_by_the_answer_that_it_is_to_stop() -> None:
    async def use(backend: Backend, stop: asyncio.Event) -> None:
        await backend.progress(FIGURES)
        assert not stop.is_set()
        await backend.progress(FIGURES)
        assert stop.is_set()

    ran(lambda _, times: (200, HELD | {"stop": times > 1}), use)


def test_a_pod_hears_how_many_ask_its_host_and_paces_itself_by_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waited: list[float] = []

    async def turn(_: OwnPace, __: str, delay_seconds: float, ___: object) -> None:
        waited.append(delay_seconds)

    async def crawl(_: Recipe, __: Job, around: Around) -> Manifest:
        assert around.pace is not None
        await around.pace.turn("shop.example", 2.0)
        await around.reports.progress(FIGURES)
        await around.pace.turn("shop.example", 2.0)
        raise Refusal("enough")

    monkeypatch.setattr(OwnPace, "turn", turn)
    monkeypatch.setattr(ordered, "run_job", crawl)
    site = {"retailer": "r", "version": 1, "start_urls": {}, "listing": {}}
    order = {"job": {"job_id": "j", "category": "c", "fencing_token": 7}, "recipe": site}

    async def use(backend: Backend, _: asyncio.Event) -> None:
        # The same product, asked as a pod does from its beginning.
        at = backend._url.removesuffix("/report")
        addresses = ordered.Addresses(backend._url, "us", "bucket", at, at)
        with pytest.raises(Refusal):
            await ordered.run_order(addresses, 7, asyncio.Event(), local=False)

    begun = HELD | {"order": order, "hosts": {"shop.example": {"pods": 3}}}
    later = HELD | {"hosts": {"shop.example": {"pods": 2, "delay_seconds": 5.0}}}
    told = ran(lambda _, times: (200, begun if times == 1 else later), use)
    assert waited == [6.0, 10.0]
    # What it keeps to itself is told: the recipe's delay, or that of robots.txt.
    known = {"host": "shop.example", "delay_seconds": 2.0, "rest_seconds": 0.0}
    assert [each["hosts"] for each in told] == [[], [known], [known]]


def test_a_rest_that_a_host_asks_for_is_told_at_once_and_what_was_heard_long_ago_is_asked_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waited: list[float] = []

    async def use(backend: Backend, _: asyncio.Event) -> None:
        await backend.progress(FIGURES)
        await backend.pace.turn("shop.example", 0.0)
        await backend.pace.hold("shop.example", 900.0)
        await backend.pace.hold("shop.example", 900.0)
        monkeypatch.setattr(backend_module, "FRESH_SECONDS", 0.0)
        with pytest.raises(Resting):
            await backend.pace.turn("other.example", 0.0)

    def reply(told: dict[str, Any], times: int) -> tuple[int, Any]:
        waited.extend(each["rest_seconds"] for each in told["hosts"][:1])
        resting = {"other.example": {"rest_seconds": 500.0}}
        return 200, HELD | {"hosts": resting if times == 3 else {}}

    ran(reply, use)
    # Once for both rests, and once more before a host is asked.
    assert [round(each, -1) for each in waited] == [900.0, 900.0]


def test_a_pod_that_has_lost_its_job_takes_no_further_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backend_module, "FRESH_SECONDS", 0.0)
    asked: list[str] = []

    async def work(backend: Backend) -> Manifest:
        await backend.pace.turn("shop.example", 0.0)
        asked.append("shop.example")
        raise AssertionError

    async def use(backend: Backend, _: asyncio.Event) -> None:
        await backend.progress(FIGURES)
        with pytest.raises(Superseded):
            await backend.while_held(work(backend))

    long = HELD | {"lease_seconds": 600}
    ran(lambda _, times: (200, long) if times == 1 else (409, {}), use)
    assert asked == []


def test_a_last_word_is_said_until_it_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend_module, "PAUSE_SECONDS", 0.01)

    async def use(backend: Backend, _: asyncio.Event) -> None:
        await backend.progress(FIGURES)
        await backend.failed("x" * 900)
        with pytest.raises(Superseded):
            await backend.failed("again")

    def reply(_: dict[str, Any], times: int) -> tuple[int, Any]:
        return {1: (200, HELD), 4: (200, HELD), 5: (404, {})}.get(times, (503, {}))

    told = ran(reply, use)
    assert [len(each.get("failed") or "") for each in told] == [0, 500, 500, 500, 5]


def test_an_order_that_cannot_be_had_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend_module, "CALL_SECONDS", 0.05)

    async def use(backend: Backend, _: asyncio.Event) -> None:
        with pytest.raises(Unreachable):
            await backend.order()

    ran(lambda _told, _times: (200, HELD), use)


class Storage(BaseHTTPRequestHandler):
    """Objects by name, each created once; the first calls fail as often as `failures` says."""

    objects: dict[str, bytes]
    failures: list[int]

    def do_GET(self) -> None:
        if "service-accounts" in self.path:
            self._say(200, b'{"access_token": "t", "expires_in": 3600}')
            return
        self._say(200, self.objects[urlsplit(self.path).path.rpartition("/")[2]])

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        query = parse_qs(urlsplit(self.path).query)
        assert query["ifGenerationMatch"] == ["0"]
        if self.failures:
            self._say(self.failures.pop(), b"")
        elif query["name"][0] in self.objects:
            self._say(412, b"")
        else:
            mark = self.headers["Content-Type"].partition("boundary=")[2].encode()
            _, _, content, _ = body.split(b"--" + mark)
            self.objects[query["name"][0]] = content.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
            self._say(200, b"{}")

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


@contextmanager
def bucket(failures: list[int]) -> Iterator[tuple[Bucket, dict[str, bytes]]]:
    objects: dict[str, bytes] = {}
    handler = type("Handler", (Storage,), {"objects": objects, "failures": failures})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        made = Bucket("bucket", url, url)
        try:
            yield made, objects
        finally:
            made.close()
            server.shutdown()
            thread.join()


def test_an_object_is_stored_whole_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud_storing, "PAUSE_SECONDS", 0.001)
    with bucket([503, 429]) as (store, objects):
        with store.open_for_writing("rows", "application/gzip") as stream:
            stream.write(b"a" * 300_000)
            assert objects == {}
        assert objects == {"rows": b"a" * 300_000}
        assert store.create("manifest", b"{}", "application/json", "private")
        # The same again is an attempt of ours whose answer was lost; another's stays.
        assert store.create("manifest", b"{}", "application/json", "private")
        assert not store.create("manifest", b"[]", "application/json", "private")
        assert objects["manifest"] == b"{}"


def _broken_off(store: Bucket) -> None:
    with store.open_for_writing("rows", "application/gzip") as stream:
        stream.write(b"half")
        raise KeyError


def test_a_crawl_that_breaks_off_stores_nothing_and_a_refusal_is_told() -> None:
    with bucket([403]) as (store, objects):
        with pytest.raises(KeyError):
            _broken_off(store)
        assert objects == {}
        with pytest.raises(StoringFailed, match="403"):
            store.create("manifest", b"{}", "application/json", "private")
