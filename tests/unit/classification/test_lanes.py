"""Wishes of several threads, done together."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock

import pytest

from shared.classification.lanes import Lane
from tests.polling import eventually

MOST = 10


class Served:
    """Doubles each number, but refuses 13; one at a time, and the first once it is let go."""

    def __init__(self) -> None:
        self.together: list[list[int]] = []
        self.let_go = Event()
        self._alone = Lock()

    def __call__(self, asked: Sequence[int]) -> list[int | Exception]:
        assert self._alone.acquire(blocking=False)
        self.together.append(list(asked))
        assert self.let_go.wait(10)
        self._alone.release()
        return [ValueError("13") if each == 13 else 2 * each for each in asked]


def test_who_comes_while_one_is_served_is_served_together_with_the_others() -> None:
    serve = Served()
    lane = Lane(serve, MOST, 10.0)
    with ThreadPoolExecutor(25) as pool:
        first = pool.submit(lane.ask, 100)
        eventually(lambda: bool(serve.together), timeout_seconds=10)
        others = [pool.submit(lane.ask, n) for n in range(24)]
        eventually(lambda: len(lane._waiting) == 24, timeout_seconds=10)
        serve.let_go.set()
        assert first.result() == 200
        assert [each.result() for n, each in enumerate(others) if n != 13] == [
            2 * n for n in range(24) if n != 13
        ]
        # What one is refused is no matter of the others.
        with pytest.raises(ValueError, match="13"):
            others[13].result()
    assert [len(each) for each in serve.together] == [1, 10, 10, 4]


def test_what_nobody_was_served_is_told_to_each() -> None:
    def serve(_asked: Sequence[int]) -> list[int | Exception]:
        raise ValueError("away")

    lane = Lane(serve, MOST, 10.0)
    for _ in range(2):
        with pytest.raises(ValueError, match="away"):
            lane.ask(1)


def test_one_failure_is_told_to_who_met_it_and_the_others_try_once_more_alone() -> None:
    together: list[list[int]] = []
    others_wait = Event()

    def serve(asked: Sequence[int]) -> list[int | Exception]:
        together.append(list(asked))
        assert others_wait.wait(10)
        failed = len(asked) > 1 or asked == [13]
        return [TimeoutError("away") if failed else each for each in asked]

    lane = Lane[int, int](serve, MOST, 10.0, (TimeoutError,))
    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(lane.ask, 100)
        eventually(lambda: bool(together), timeout_seconds=10)
        others = [pool.submit(lane.ask, n) for n in (1, 2, 13, 4)]
        eventually(lambda: len(lane._waiting) == 4, timeout_seconds=10)
        others_wait.set()
        assert first.result() == 100
        failed = [each for each in others if each.exception() is not None]
    leader = together[1][0]
    assert sorted(together[1]) == [1, 2, 4, 13]
    assert {n for n, each in zip((1, 2, 13, 4), others, strict=True) if each in failed} == {
        leader,
        13,
    }
    assert sorted(together[2:]) == sorted([n] for n in (1, 2, 13, 4) if n != leader)


def test_nobody_waits_for_a_lane_that_stands_still() -> None:
    lane = Lane[int, int](lambda asked: [-each for each in asked], MOST, 0.01)
    with lane.turn() as first, lane.turn() as second:
        assert (first, second) == (True, False)
        # Beside it, and without those who wait.
        assert lane.ask(3) == -3
    with lane.turn() as third:
        # Nobody gave the place back who never had it.
        assert third
