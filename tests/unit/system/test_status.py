"""The status waits for nobody longer than its deadline."""

import threading
import time
from collections.abc import Callable

from shared.errors import DependencyUnavailable
from shared.system import status
from shared.system.schemas import PartState


class Toy:
    """A part that answers as it is told."""

    def __init__(self, name: str, act: Callable[[], object] = lambda: None) -> None:
        self.name = name
        self._act = act

    def ask(self) -> PartState:
        self._act()
        return PartState(self.name, "ok", 0.0)


def fails(error: Exception) -> Callable[[], object]:
    def act() -> None:
        raise error

    return act


def test_a_part_that_hangs_delays_the_answer_to_the_deadline_only() -> None:
    released = threading.Event()
    began = time.monotonic()
    told = status.read([Toy("firestore"), Toy("hanging", released.wait)], deadline_seconds=0.2)
    took_seconds = time.monotonic() - began
    released.set()
    assert took_seconds < 2
    states = {part.name: (part.state, part.detail) for part in told.parts}
    assert states == {"firestore": ("ok", None), "hanging": ("down", "No answer within 0.2 s.")}
    assert told.status == "degraded"


def test_what_fails_is_told_and_nothing_private_of_it() -> None:
    told = status.read(
        [
            Toy("firestore", fails(DependencyUnavailable("It cannot be reached."))),
            Toy("broken", fails(KeyError("a secret"))),
        ]
    )
    assert [(part.state, part.detail) for part in told.parts] == [
        ("down", "It cannot be reached."),
        ("down", "KeyError"),
    ]
    assert told.status == "down"


def test_without_a_failure_all_is_well() -> None:
    assert status.read([Toy("firestore"), Toy("redis")]).status == "ok"
