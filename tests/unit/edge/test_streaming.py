"""Streams: events as they happen, signs of life between them, and an end for who hangs up."""

import socket
import threading

import pytest

from shared.edge.streaming import Event, Line, Stream, events

DEADLINE_SECONDS = 10


def test_events_are_sent_as_they_are_said() -> None:
    go_on = threading.Event()

    def work(line: Line) -> None:
        line.say(Event("one", {"index": 1}))
        assert go_on.wait(DEADLINE_SECONDS)
        line.say(Event("two", {"word": "ü"}))

    sent = events(Stream(work), None)
    assert next(sent) == b": \n\n"
    assert next(sent) == b'event: one\ndata: {"index":1}\n\n'
    go_on.set()
    assert list(sent) == ['event: two\ndata: {"word":"ü"}\n\n'.encode()]


def test_while_nothing_happens_there_are_signs_of_life() -> None:
    go_on = threading.Event()
    sent = events(Stream(lambda _: _wait(go_on)), None, heartbeat_seconds=0.01)
    assert [next(sent) for _ in range(4)] == [b": \n\n"] * 4
    go_on.set()
    assert set(sent) <= {b": \n\n"}


def _wait(event: threading.Event) -> None:
    assert event.wait(DEADLINE_SECONDS)


def test_closing_the_answer_tells_the_work() -> None:
    stopped = threading.Event()

    def work(line: Line) -> None:
        if line.wait_cut(DEADLINE_SECONDS):
            stopped.set()

    sent = events(Stream(work), None)
    next(sent)
    sent.close()  # type: ignore[attr-defined]
    assert stopped.wait(DEADLINE_SECONDS)


def test_a_caller_who_hangs_up_is_noticed_though_nothing_is_sent() -> None:
    ours, theirs = socket.socketpair()
    stopped = threading.Event()

    def work(line: Line) -> None:
        if line.wait_cut(DEADLINE_SECONDS):
            stopped.set()

    with ours, theirs:
        sent = events(Stream(work), ours, look_seconds=0.01)
        next(sent)
        theirs.close()
        assert list(sent) == []
    assert stopped.wait(DEADLINE_SECONDS)


def test_work_that_fails_ends_the_stream(caplog: pytest.LogCaptureFixture) -> None:
    def work(line: Line) -> None:
        line.say(Event("one", {}))
        raise ValueError("no")

    with caplog.at_level("ERROR"):
        assert list(events(Stream(work), None))[1:] == [b"event: one\ndata: {}\n\n"]
    assert "Unexpected failure in a stream" in caplog.text
