"""Crawls over a WebSocket: tickets, news as they come, the newest only, and the session's end."""

import asyncio
import logging
import socket as tcp
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from live.listening import Listener
from live.service import PATH, Service
from local.ports import HOST
from local.stack import Stack
from shared.clients import firestore
from shared.crawling.models import CrawlJob, to_document
from shared.edge import tickets
from tests.integration.crawling.sockets import (
    Json,
    heard,
    heard_to_the_end,
    socket,
    subscribe,
    ticket,
)
from tests.integration.edge.instance import instance
from tests.polling import eventually
from tests.sessions import SignedIn, log_in, log_out

# Of half a megabyte each: more than buffers on the way take.
CHANGES = 30


@pytest.fixture
def signed_in(stack: Stack) -> Iterator[SignedIn]:
    with instance(stack.environment()):
        yield log_in(stack)


def store(job: CrawlJob, **changes: Any) -> CrawlJob:
    changed = msgspec.structs.replace(job, version=job.version + 1, **changes)
    firestore.client().collection("crawl_jobs").document(job.id).set(to_document(changed))
    return changed


def new_job(name: str) -> CrawlJob:
    job = CrawlJob(
        id=f"live-{name}",
        retailer="live-shop",
        category="tea",
        requested_by="somebody",
        created_at=datetime.now(UTC),
    )
    return store(job)


def heard_until(opened: ClientConnection, job: CrawlJob, **expected: Any) -> Json:
    """What is said of the job once it says so; others may be told of before."""
    while True:
        told = heard(opened)
        if told["job_id"] == job.id and expected.items() <= told.items():
            return told


def test_a_crawl_is_told_at_once_with_each_change_and_to_its_end(
    stack: Stack, signed_in: SignedIn
) -> None:
    job, other = new_job("watched"), new_job("other")
    with socket(stack, signed_in) as opened:
        subscribe(opened, [job.id])
        first = heard(opened)
        assert (first["job_id"], first["status"], first["progress"]) == (job.id, "queued", None)
        running = {"status": "running", "pages_total": 40, "growing": False}
        job = store(job, **running, pages_done=10, started_at=datetime.now(UTC))
        assert heard_until(opened, job, status="running")["progress"] == 25
        store(other, status="failed")
        store(job, status="completed", pages_done=40, finished_at=datetime.now(UTC))
        told = heard_to_the_end(opened)
        assert {each["job_id"] for each in told} == {job.id}
        assert told[-1]["status"] == "completed"
        assert opened.close_code == 1000


def test_all_of_them_and_ended_and_absent_ones(stack: Stack, signed_in: SignedIn) -> None:
    going = new_job("going")
    ended = store(new_job("ended"), status="stopped")
    with socket(stack, signed_in) as opened, socket(stack, signed_in) as everything:
        subscribe(everything, "all")
        heard_until(everything, going, status="queued")
        subscribe(opened, [ended.id, "live-never"])
        told = {each["job_id"]: each for each in (heard(opened), heard(opened))}
        assert told[ended.id]["status"] == "stopped"
        assert "error" in told["live-never"]
        # What begins later is told too, and so is an end.
        later = new_job("later")
        heard_until(everything, later, status="queued")
        store(going, status="failed", error="It broke.")
        assert heard_until(everything, going, status="failed")["error"] == "It broke."
        store(later, status="stopped")
        heard_until(everything, later, status="stopped")


def test_who_reads_slowly_gets_the_newest_state(stack: Stack, signed_in: SignedIn) -> None:
    job = new_job("slow")
    given = ticket(stack, signed_in)
    # Straight to the service, and read by nobody at first: the buffers between hold some of it.
    url = f"ws://{HOST}:{stack.plan.ports.live}/ws/crawler"
    headers = {"Authorization": f"Bearer {given['ticket']}"}
    with connect(url, additional_headers=headers, proxy=None, max_queue=1) as opened:
        subscribe(opened, [job.id])
        for number in range(CHANGES):
            job = store(job, status="running", error=f"{number} {'x' * 500_000}")
        with socket(stack, signed_in) as quick:
            subscribe(quick, [job.id])
            heard_until(quick, job, version=job.version)
        job = store(job, status="completed", error=None)
        told = heard_to_the_end(opened)
    assert told[-1]["version"] == job.version
    assert len(told) < CHANGES


def test_a_ticket_opens_one_socket(stack: Stack, signed_in: SignedIn) -> None:
    given = ticket(stack, signed_in)
    headers = {"Authorization": f"Bearer {given['ticket']}"}
    with connect(given["url"], additional_headers=headers, proxy=None):
        pass
    refusals: tuple[dict[str, str], ...] = (
        headers,
        {},
        bearer("made-up"),
        other(stack, signed_in),
        expired(stack, signed_in),
    )
    for used in refusals:
        with (
            pytest.raises(InvalidStatus) as refused,
            connect(given["url"], additional_headers=used, proxy=None),
        ):
            pass
        assert refused.value.response.status_code == 401


def bearer(given: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {given}"}


def other(stack: Stack, signed_in: SignedIn) -> dict[str, str]:
    return bearer(ticket(stack, signed_in, "classify")["ticket"])


def expired(stack: Stack, signed_in: SignedIn) -> dict[str, str]:
    given = ticket(stack, signed_in)["ticket"]
    stored = firestore.client().collection(tickets.COLLECTION).document(tickets._digest(given))
    stored.update({"expires_at": datetime.now(UTC) - timedelta(seconds=1)})
    return bearer(given)


def test_a_foreign_page_opens_none(stack: Stack, signed_in: SignedIn) -> None:
    evil = {"origin": "https://evil.example"}
    with pytest.raises(InvalidStatus) as refused, socket(stack, signed_in, **evil):
        pass
    assert refused.value.response.status_code == 403
    with socket(stack, signed_in, origin=stack.plan.origin):
        pass


@pytest.mark.parametrize("message", ["{", '{"subscribe": []}', '{"subscribe": "some"}', "{}"])
def test_what_cannot_be_read_ends_the_socket(
    stack: Stack, signed_in: SignedIn, message: str
) -> None:
    with socket(stack, signed_in) as opened:
        opened.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            heard(opened)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008


def test_a_socket_that_asks_for_ever_more_is_ended(stack: Stack, signed_in: SignedIn) -> None:
    with socket(stack, signed_in) as opened:
        # Only what is all answered would end it otherwise.
        subscribe(opened, "all")
        for _ in range(10):
            subscribe(opened, [f"live-none-{number}" for number in range(100)])
        with pytest.raises(ConnectionClosed) as closed:
            heard_to_the_end(opened)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008


def test_a_session_that_ends_closes_its_sockets(stack: Stack, signed_in: SignedIn) -> None:
    job = new_job("revoked")
    another = log_in(stack)
    with socket(stack, signed_in) as opened, socket(stack, another) as stays:
        for each in (opened, stays):
            subscribe(each, [job.id])
            heard_until(each, job, status="queued")
        assert log_out(stack, signed_in).status_code == 200
        with pytest.raises(ConnectionClosed) as closed:
            heard(opened)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
        job = store(job, status="stopped")
        heard_until(stays, job, status="stopped")


def test_a_database_that_was_away_is_heard_again(stack: Stack, signed_in: SignedIn) -> None:
    job = new_job("away")
    with socket(stack, signed_in) as opened:
        subscribe(opened, [job.id])
        heard_until(opened, job, status="queued")
        firestore_part = stack.part("firestore")
        firestore_part.pause()
        firestore_part.resume()
        job = store(job, status="completed")
        heard_until(opened, job, status="completed")


@contextmanager
def own_service(stack: Stack, **pings: float) -> Iterator[tuple[Service, int]]:
    """The service in this process, and its port."""
    made, loop, stopping = Service(stack.plan.origin, **pings), asyncio.new_event_loop(), []
    ports: list[int] = []

    async def serve() -> None:
        stopping.append(asyncio.Event())
        async with made.listening_at(HOST, 0) as server:
            ports.append(next(iter(server.sockets)).getsockname()[1])
            await stopping[0].wait()

    thread = threading.Thread(target=loop.run_until_complete, args=[serve()])
    thread.start()
    eventually(lambda: ports)
    try:
        yield made, ports[0]
    finally:
        loop.call_soon_threadsafe(stopping[0].set)
        thread.join()
        loop.close()


class Noting(logging.Handler):
    """Keeps what is logged."""

    def __init__(self, kept: list[str]) -> None:
        super().__init__()
        self._kept = kept

    def emit(self, record: logging.LogRecord) -> None:
        self._kept.append(record.getMessage())


@pytest.fixture
def listeners(monkeypatch: pytest.MonkeyPatch) -> list[list[Any]]:
    """What each beginning of the listener listens with."""
    begin, begun = Listener._begin, list[list[Any]]()

    def noted(*given: Any) -> list[Any]:
        begun.append(begin(*given))
        return begun[-1]

    monkeypatch.setattr(Listener, "_begin", noted)
    return begun


def test_a_client_that_vanishes_is_dropped_and_its_listener_is_ended(
    stack: Stack, signed_in: SignedIn, listeners: list[list[Any]]
) -> None:
    given = ticket(stack, signed_in)["ticket"]
    asks = f"GET {PATH} HTTP/1.1\r\nHost: {HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    keys = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    with (
        own_service(stack, ping_seconds=0.1, pong_seconds=0.1) as (service, port),
        tcp.create_connection((HOST, port)) as gone,
    ):
        gone.sendall(f"{asks}{keys}Authorization: Bearer {given}\r\n\r\n".encode())
        # It never says a word again, and does not close either.
        eventually(lambda: listeners)
        eventually(lambda: service._board.sockets == 0)
        eventually(lambda: not any(watch.is_active for watch in listeners[0]))
        assert gone.recv(1000).startswith(b"HTTP/1.1 101")
    assert len(listeners) == 1


def test_many_idle_sockets_stay_and_share_one_listener(
    stack: Stack, signed_in: SignedIn, listeners: list[list[Any]]
) -> None:
    job, pinged, logger = new_job("shared"), list[str](), logging.getLogger("test.live")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(Noting(pinged))
    with (
        own_service(stack, ping_seconds=0.05, pong_seconds=60) as (service, port),
        ExitStack() as all_,
    ):
        sockets = []
        for _ in range(4):
            headers = bearer(ticket(stack, signed_in)["ticket"])
            opened = connect(
                f"ws://{HOST}:{port}{PATH}", additional_headers=headers, proxy=None, logger=logger
            )
            sockets.append(all_.enter_context(opened))
            subscribe(sockets[-1], [job.id])
            heard_until(sockets[-1], job, status="queued")
        asked = len(pinged)
        eventually(lambda: sum("< PING" in each for each in pinged[asked:]) > 12)
        assert service._board.sockets == 4
        job = store(job, status="running")
        told = [heard_until(each, job, status="running")["version"] for each in sockets]
        assert told == [job.version] * 4
        store(job, status="stopped")
        assert [heard_to_the_end(each)[-1]["status"] for each in sockets] == ["stopped"] * 4
        assert len(listeners) == 1
        eventually(lambda: not any(watch.is_active for watch in listeners[0]))
