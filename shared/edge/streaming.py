"""Answers that grow while the work goes on: server-sent events, each sent as it happens.

The work runs in a thread of its own, so that the answer can show signs of life and notice that
the caller has hung up while the work waits for somebody else.
"""

import logging
import queue
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import copy_context
from typing import Any, Final

import msgspec

from shared.edge.answer import encode

log = logging.getLogger(__name__)

CONTENT_TYPE: Final = "text/event-stream"
HEARTBEAT_SECONDS: Final = 15.0
# Hanging up shows only to whoever looks, and each look costs next to nothing.
LOOK_SECONDS: Final = 1.0
_COMMENT: Final = b": \n\n"


class Event(msgspec.Struct, frozen=True):
    """One event: its name and what its data line holds as JSON."""

    name: str
    data: dict[str, Any]


class Line:
    """What the work speaks into, and hears on whether anybody still listens."""

    def __init__(self) -> None:
        self._said: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._cut = threading.Event()

    def say(self, event: Event) -> None:
        """Sends an event; nobody hears it any more once the caller has hung up."""
        self._said.put(event)

    def is_cut(self) -> bool:
        """Whether the caller has hung up: the work stops where it can."""
        return self._cut.is_set()

    def wait_cut(self, seconds: float) -> bool:
        """Waits for so long, or until the caller hangs up; says whether that happened."""
        return self._cut.wait(seconds)

    def end(self) -> None:
        """Nothing more will be said."""
        self._said.put(None)

    def cut(self) -> None:
        """The caller has hung up."""
        self._cut.set()

    def hear(self, seconds: float) -> Event | None:
        """The next event, None at the end; raises queue.Empty where none comes in time."""
        return self._said.get(timeout=seconds)


class Stream(msgspec.Struct, frozen=True):
    """An answer that `work` gives bit by bit: it speaks into the line until it returns."""

    work: Callable[[Line], None]


def events(
    stream: Stream,
    connection: socket.socket | None,
    heartbeat_seconds: float = HEARTBEAT_SECONDS,
    look_seconds: float = LOOK_SECONDS,
) -> Iterator[bytes]:
    """The stream as it is sent; `connection` is the caller's, where the server tells it."""
    line = Line()
    context = copy_context()
    worker = threading.Thread(target=context.run, args=(_run, stream, line), daemon=True)
    worker.start()
    began = quiet_since = time.monotonic()
    ended = False
    try:
        # At once, so that whatever stands between lets the answer's beginning through.
        yield _COMMENT
        while True:
            try:
                event = line.hear(min(look_seconds, heartbeat_seconds))
            except queue.Empty:
                if connection is not None and _hung_up(connection):
                    return
                if time.monotonic() - quiet_since >= heartbeat_seconds:
                    yield _COMMENT
                    quiet_since = time.monotonic()
                continue
            if event is None:
                ended = True
                return
            yield b"event: " + event.name.encode() + b"\ndata: " + encode(event.data) + b"\n\n"
            quiet_since = time.monotonic()
    finally:
        line.cut()
        seconds = round(time.monotonic() - began, 3)
        log.info("Stream over", extra={"context": {"to_its_end": ended, "seconds": seconds}})


def _run(stream: Stream, line: Line) -> None:
    try:
        stream.work(line)
    except Exception:
        # The answer has begun, so no status can say so: it ends without its last event.
        log.exception("Unexpected failure in a stream")
    finally:
        line.end()


def _hung_up(connection: socket.socket) -> bool:
    try:
        readable, _, _ = select.select([connection], [], [], 0)
        return bool(readable) and connection.recv(1, socket.MSG_PEEK) == b""
    except (OSError, ValueError):
        return True
