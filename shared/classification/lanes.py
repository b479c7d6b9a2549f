"""What several threads wish for at the same time, done for all of them by one of them."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Lock
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")
R = TypeVar("R")


class Lane(Generic[T, R]):
    """Takes one after the other; who comes while it is taken is served with all who came then.

    `serve` gets the wishes of at most `most` and says for each what comes of it, which is raised
    where it is an exception. Nobody waits for the lane longer than `seconds`: he goes beside it.
    Who was served together with another and is told one of `again` is served once more, alone.
    """

    def __init__(
        self,
        serve: Callable[[Sequence[T]], Sequence[R | Exception]],
        most: int,
        seconds: float,
        again: tuple[type[Exception], ...] = (),
    ) -> None:
        self._serve = serve
        self._again = again
        self._most = most
        self._seconds = seconds
        self._lane = Lock()
        self._door = Lock()
        self._waiting: list[_Wish[T, R]] = []

    def ask(self, asked: T) -> R:
        """What comes of the wish; raises what `serve` says or raises."""
        wish = _Wish[T, R](asked, Future())
        with self._door:
            self._waiting.append(wish)
        with self.turn() as is_taken:
            # Whoever was served meanwhile, or is being served beside, finds none to serve.
            taken = self._taken(wish, self._most if is_taken else 1)
            self._answer(taken)
        if taken or not isinstance(wish.outcome.exception(), self._again):
            return wish.outcome.result()
        return self._alone(asked)

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """The lane for one alone; says whether it was free in time."""
        is_taken = self._lane.acquire(timeout=self._seconds)
        try:
            yield is_taken
        finally:
            if is_taken:
                self._lane.release()

    def _alone(self, asked: T) -> R:
        wish = _Wish[T, R](asked, Future())
        with self.turn():
            self._answer([wish])
        return wish.outcome.result()

    def _taken(self, wish: "_Wish[T, R]", most: int) -> "list[_Wish[T, R]]":
        with self._door:
            if wish not in self._waiting:
                return []
            others = [each for each in self._waiting if each is not wish]
            taken, self._waiting = [wish, *others[: most - 1]], others[most - 1 :]
        return taken

    def _answer(self, wishes: "Sequence[_Wish[T, R]]") -> None:
        if not wishes:
            return
        try:
            outcomes = self._serve([each.asked for each in wishes])
        except BaseException as error:
            for each in wishes:
                each.outcome.set_exception(error)
            raise
        for each, outcome in zip(wishes, outcomes, strict=True):
            if isinstance(outcome, Exception):
                each.outcome.set_exception(outcome)
            else:
                each.outcome.set_result(outcome)


class _Wish(msgspec.Struct, Generic[T, R], frozen=True, eq=False):
    asked: T
    outcome: "Future[R]"
