"""What the status says of parts that fail, hang or come back."""

import threading
from collections.abc import Callable, Iterator

import pytest

from shared.errors import DependencyUnavailable
from shared.system import status
from shared.system.schemas import PartState
from shared.system.status_parts import Pinged


@pytest.fixture(autouse=True)
def _unaware() -> Iterator[None]:
    status._last_errors.clear()
    yield
    status._last_errors.clear()


def fail() -> None:
    raise DependencyUnavailable("It cannot be reached.")


def told(ping: Callable[[], None], deadline_seconds: float = 3) -> PartState:
    (part,) = status.read([Pinged("redis", ping)], deadline_seconds).parts
    return part


def test_the_last_error_of_a_part_that_is_back_is_remembered() -> None:
    assert told(lambda: None).last_error is None
    down = told(fail)
    assert (down.state, down.detail) == ("down", "It cannot be reached.")
    back = told(lambda: None)
    assert (back.state, back.detail) == ("ok", None)
    assert back.last_error is not None
    assert back.last_error == down.last_error
    assert back.last_error.detail == "It cannot be reached."


def test_a_part_that_hangs_is_down_and_waited_for_no_longer() -> None:
    release = threading.Event()

    def hang() -> None:
        release.wait(30)

    part = told(hang, deadline_seconds=0.05)
    release.set()
    assert (part.state, part.detail) == ("down", "No answer within 0.05 s.")
