"""How close classification comes to its providers' pace, and what open streams cost the others."""

import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import msgspec

from local.accounts import SUPER_ADMIN
from local.plan import ROOT
from shared.classification import deciding, providers
from shared.classification.deciding import Setting
from shared.classification.failover import Candidate
from shared.classification.models import Item
from tests.benchmarks import chunk_memory
from tests.benchmarks.alone import alone
from tests.benchmarks.call import Call
from tests.benchmarks.cloud import Cloud
from tests.benchmarks.figures import Figure
from tests.integration.classification.models import ASKED_PATH
from tests.integration.edge.instance import instance
from tests.mock_model import CATEGORIES
from tests.polling import eventually
from tests.sessions import TLS

PROVIDER: Final = "groq"
KEY: Final = "canary-key-0123456789"
ITEMS: Final = 1000
CONCURRENCY: Final = 8
MODEL_SECONDS: Final = 0.3
SIZES: Final = (1, 10)
STREAMS: Final = 40
# So long do their models think: an open stream waits for most of its time.
STREAM_MODEL_SECONDS: Final = 19.0
# Each in a call of its own, all of them at once.
STREAM_PRODUCTS: Final = 4
REQUESTS: Final = 120
LOOKED: Final = 4
# After so long the requests begin, whether or not each stream has made all of its calls.
STREAM_SECONDS: Final = 10.0
_PERCENTILE: Final = 0.95


def measure(cloud: Cloud) -> Iterator[Figure]:
    """Both, against a model that always takes as long, and the memory that it all takes."""
    with _model(cloud, MODEL_SECONDS):
        yield from _throughput(cloud)
    with _model(cloud, STREAM_MODEL_SECONDS):
        yield from _beside_streams(cloud)
    yield from chunk_memory.measure(cloud)


def _throughput(cloud: Cloud) -> Iterator[Figure]:
    """How many times the time of its calls 1,000 products take, with nothing in a call's stead."""
    with instance(cloud.environment()):
        candidate = Candidate(
            PROVIDER, providers.model_of(PROVIDER, None), providers.keyed(PROVIDER, KEY)
        )
        known = Setting(CATEGORIES, [candidate], 70, 20.0, threads=CONCURRENCY, cascade=False)
        # Whoever begins imports the SDK and opens the connections.
        _decided(msgspec.structs.replace(known, most_in_call=1), CONCURRENCY)
        for size in SIZES:
            seconds, calls = _decided(msgspec.structs.replace(known, most_in_call=size), ITEMS)
            ideal = calls / CONCURRENCY * MODEL_SECONDS
            note = f"{calls} calls, {seconds:.1f} s of {ideal:.1f} s"
            name = f"classification.{size}_in_a_call"
            yield Figure(name, seconds / ideal, "x the model's", "<= 1.3", note)


def _decided(known: Setting, count: int) -> tuple[float, int]:
    items = [Item(f"Tea {n:04d}") for n in range(count)]
    began = time.monotonic()
    found = deciding.decide_with(known, items, began + 600)
    seconds = time.monotonic() - began
    failed = [each.failure for each in found if each.failure]
    if failed or len(found) != count:
        raise RuntimeError(f"{len(failed)} of {count} failed: {failed[:1]}")
    return seconds, sum(each.calls for each in found)


def _beside_streams(cloud: Cloud) -> Iterator[Figure]:
    """A request's 95th percentile beside 40 streams, over the same without any.

    Once while they all open, and then while they wait for their models. While they open it is
    asked of two: of the process that serves the streams as well, as all functions of a machine
    share two, and of an instance of its own, as each function has them where it is deployed.
    """
    body = json.dumps({"provider": PROVIDER, "key": KEY}).encode()
    headers = {**cloud.user(SUPER_ADMIN), "Content-Type": "application/json"}
    cloud.send(Call("POST", "/keys/set", headers=headers, body=body))
    with alone(cloud, "products") as elsewhere:
        send = (cloud.send, elsewhere)
        _requests(cloud, *send)
        without, without_elsewhere = _requests(cloud, *send)
        with _streams(cloud) as streams:
            opening, opening_elsewhere = _requests(cloud, *send, until=streams.are_at_work)
            with suppress(AssertionError):
                eventually(streams.are_at_work, timeout_seconds=STREAM_SECONDS)
            asked = _asked(cloud)
            (beside,) = _requests(cloud, cloud.send)
            if not streams.are_open():
                raise RuntimeError("The streams ended before the requests did.")
    named = "classification.while_40_streams_open"
    yield _slower(f"{named}_elsewhere", opening_elsewhere, without_elsewhere)
    yield _slower(named, opening, without)
    figure = _slower("classification.beside_40_streams", beside, without)
    yield replace(figure, note=f"{figure.note}, {asked} calls under way or over")


def _slower(name: str, beside: list[float], without: list[float]) -> Figure:
    p95, p95_beside = _p95(without), _p95(beside)
    note = f"{p95:.1f} ms and {p95_beside:.1f} ms, medians "
    note += f"{statistics.median(without):.1f} and {statistics.median(beside):.1f}"
    note += f", {len(beside)} requests"
    return Figure(name, p95_beside / p95, "x p95", "<= 3", note)


def _asked(cloud: Cloud) -> int:
    url = urlsplit(cloud.environment()["GROQ_BASE_URL"])
    return int(httpx.get(f"{url.scheme}://{url.netloc}{ASKED_PATH}", trust_env=False).text)


def _requests(
    cloud: Cloud, *send: Callable[[Call], Any], until: Callable[[], bool] = lambda: False
) -> list[list[float]]:
    """The milliseconds of each request, in turn of each that `send`s one, or `until` it is over."""
    call = Call("GET", "/api/products", "limit=20", cloud.user())
    taken: list[list[float]] = [[] for _ in send]
    for n in range(REQUESTS):
        for times, each in zip(taken, send, strict=True):
            began = time.perf_counter()
            each(call)
            times.append((time.perf_counter() - began) * 1000)
        # To ask is a request as well.
        if n % LOOKED == LOOKED - 1 and until():
            break
    return taken


def _p95(taken: list[float]) -> float:
    return sorted(taken)[int(_PERCENTILE * len(taken))]


class _Streams:
    """Forty streams, each heard by a thread."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._begun = threading.Semaphore(0)
        self._count = 0
        self._ended = threading.Event()
        self._errors: list[BaseException] = []
        tickets = [_ticket(cloud) for _ in range(STREAMS)]
        self._threads = [
            threading.Thread(target=self._run, args=(n, ticket), daemon=True)
            for n, ticket in enumerate(tickets)
        ]

    def open(self) -> None:
        """All in one moment."""
        for thread in self._threads:
            thread.start()

    def are_at_work(self) -> bool:
        """Whether each has begun, and all of their calls are made."""
        while self._begun.acquire(blocking=False):
            self._count += 1
        return self._count == STREAMS and _asked(self._cloud) >= STREAMS * STREAM_PRODUCTS

    def are_open(self) -> bool:
        """Whether each has begun, and none is over."""
        self.are_at_work()
        return self._count == STREAMS and not self._ended.is_set() and not self._errors

    def end(self) -> None:
        """Hangs up; raises what a thread met."""
        self._ended.set()
        for thread in self._threads:
            thread.join(30)
        if self._errors:
            raise self._errors[0]

    def _run(self, number: int, ticket: dict[str, str]) -> None:
        try:
            _listen(number, ticket, self._begun, self._ended)
        except BaseException as error:  # noqa: BLE001 - told by the main thread
            self._errors.append(error)


@contextmanager
def _streams(cloud: Cloud) -> Iterator[_Streams]:
    streams = _Streams(cloud)
    streams.open()
    try:
        yield streams
    finally:
        streams.end()


def _ticket(cloud: Cloud) -> dict[str, str]:
    headers = {**cloud.user(), "Content-Type": "application/json"}
    body = json.dumps({"for": "classify"}).encode()
    ticket: dict[str, str] = cloud.send(
        Call("POST", "/api/admin/ticket", headers=headers, body=body)
    ).json()
    return ticket


def _listen(
    number: int, ticket: dict[str, str], begun: threading.Semaphore, ended: threading.Event
) -> None:
    products = [{"name": f"Tea {number} {n}"} for n in range(STREAM_PRODUCTS)]
    headers = {"Authorization": f"Bearer {ticket['ticket']}"}
    with (
        httpx.Client(timeout=120, trust_env=False, verify=TLS) as http,
        http.stream("POST", ticket["url"], json={"products": products}, headers=headers) as sent,
    ):
        sent.raise_for_status()
        is_first = True
        for line in sent.iter_lines():
            if is_first:
                is_first = False
                begun.release()
            if line.startswith("event: complete"):
                ended.set()
            if ended.is_set():
                return


@contextmanager
def _model(cloud: Cloud, seconds: float) -> Iterator[None]:
    port = urlsplit(cloud.environment()["GROQ_BASE_URL"]).port
    arguments = [sys.executable, "-m", "tests.benchmarks.model_server", str(port), str(seconds)]
    with subprocess.Popen(  # noqa: S603 - our own code
        arguments, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as served:
        try:
            if served.stdout is None or served.stdout.readline() != "ready\n":
                raise RuntimeError("The model does not start.")
            yield
        finally:
            served.terminate()
