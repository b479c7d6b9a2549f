"""Waiting for a state without sleeping for a guess."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(
    predicate: Callable[[], T | None], *, timeout_seconds: float = 60.0, gap_seconds: float = 0.03
) -> T:
    """The first true result of `predicate`; raises AssertionError when there is none in time."""
    deadline = time.monotonic() + timeout_seconds
    while not (result := predicate()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not true within {timeout_seconds:g} s; last seen: {result!r}")
        time.sleep(gap_seconds)
    return result
