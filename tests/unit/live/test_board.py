"""What a socket is told: what it asked for, the newest state only, and nothing after an end."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps

import pytest

from live import listening
from live.board import Board, Outbox, State
from live.listening import Listener
from shared.edge.request import Session
from shared.errors import DependencyUnavailable


def session(name: str = "a") -> Session:
    return Session(name, f"user-{name}", "", admin=True, super_admin=False, expires_at=0)


def state(job_id: str, number: int, *, ended: bool = False) -> State:
    return State(job_id, f"{job_id} {number}", ended)


def in_loop(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    @wraps(test)
    def run(**fixtures: pytest.MonkeyPatch) -> None:
        asyncio.run(asyncio.wait_for(test(**fixtures), 5))

    return run


async def taken(outbox: Outbox) -> list[str]:
    return [await outbox.take() for _ in range(outbox.waiting)]


@in_loop
async def test_a_slow_socket_holds_one_message_for_each_crawl() -> None:
    board = Board()
    outbox = board.open(session())
    board.subscribe(outbox, None)
    for number in range(1_000):
        board.publish(state("one", number))
        board.publish(state("two", number))
    assert outbox.waiting == 2
    assert await taken(outbox) == ["one 999", "two 999"]


@in_loop
async def test_it_hears_of_what_it_wants_and_is_done_with_the_last_end() -> None:
    board = Board()
    board.publish(state("known", 1))
    outbox = board.open(session())
    assert not outbox.done
    assert board.subscribe(outbox, ["known", "unknown", "known"]) == ["unknown"]
    board.publish(state("other", 1))
    board.answer(outbox, state("unknown", 7, ended=True))
    assert await taken(outbox) == ["known 1", "unknown 7"]
    board.publish(state("known", 2, ended=True))
    assert not outbox.done
    assert await taken(outbox) == ["known 2"]
    assert outbox.done


@in_loop
async def test_a_state_that_comes_after_the_end_or_twice_is_not_told() -> None:
    board = Board()
    outbox = board.open(session())
    board.subscribe(outbox, None)
    board.publish(state("one", 1))
    assert await taken(outbox) == ["one 1"]
    board.publish(state("one", 1))
    board.publish(state("one", 2, ended=True))
    board.publish(state("one", 1))
    assert await taken(outbox) == ["one 2"]
    assert not outbox.done
    assert board.missing_from([]) == []


@in_loop
async def test_what_was_read_for_one_socket_gives_way_to_what_came_meanwhile() -> None:
    board = Board()
    outbox = board.open(session())
    board.subscribe(outbox, ["one"])
    board.publish(state("one", 5))
    board.answer(outbox, state("one", 4))
    assert await taken(outbox) == ["one 5"]
    # Who hears of everything still wants it, though its end has been told.
    board.subscribe(outbox, None)
    board.publish(state("one", 6, ended=True))
    board.answer(outbox, state("one", 5))
    assert await taken(outbox) == ["one 6"]


@in_loop
async def test_an_end_that_could_not_be_read_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[list[str]] = []

    async def read(_: Listener, job_ids: list[str]) -> list[State]:
        reads.append(job_ids)
        if len(reads) == 1:
            raise DependencyUnavailable("away")
        return [state(job_id, 2, ended=True) for job_id in job_ids]

    monkeypatch.setattr(listening, "LOOK_SECONDS", 0)
    monkeypatch.setattr(Listener, "read", read)
    board = Board()
    listener = Listener(board)
    listener._users = 1
    outbox = board.open(session())
    board.subscribe(outbox, None)
    board.publish(state("known", 1))
    assert await outbox.take() == "known 1"
    # The same news twice is one reading.
    listener._hear_jobs([], [])
    listener._hear_jobs([], [])
    assert await outbox.take() == "known 2"
    assert reads == [["known"], ["known"]]


@in_loop
async def test_sockets_of_an_ended_session_end_whenever_they_opened() -> None:
    board = Board()
    before, other = board.open(session("a")), board.open(session("b"))
    board.revoke(["a"])
    after = board.open(session("a"))
    assert (before.ending.done(), other.ending.done(), after.ending.done()) == (True, False, True)
    assert board.sockets_of("user-a") == 2
    board.close(before)
    assert board.sockets == 2


@in_loop
async def test_a_taker_waits_until_there_is_something() -> None:
    outbox = Board().open(session())
    outbox.want(["one"])
    waiting = asyncio.create_task(outbox.take())
    await asyncio.sleep(0)
    outbox.offer(state("two", 1))
    outbox.offer(state("one", 1))
    assert await waiting == "one 1"
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(outbox.take(), 0.01)
