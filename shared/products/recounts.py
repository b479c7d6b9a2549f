"""Recounts: however often one is asked for, one task at the end of each window of time."""

import time
from typing import Final

import msgspec

from shared.clients import tasks
from shared.products.background_schemas import Recount

QUEUE: Final = "statistics"
CLOCK_SKEW_SECONDS: Final = 1.0


class Recounts:
    """What `function` counts lags by no more than its window and the time that counting takes."""

    def __init__(self, function: str, name: str, window_seconds: int) -> None:
        self._function = function
        self._name = name
        self._window_seconds = window_seconds
        self._last_window = 0

    def request(self) -> None:
        """Enqueues a recount at the end of the present window; raises a DependencyError."""
        window = int(time.time()) // self._window_seconds + 1
        # Saves a call for each of a thousand rows.
        if window == self._last_window:
            return
        due_at = window * self._window_seconds
        body = msgspec.json.encode(Recount(due_at=due_at))
        delay = max(0.0, due_at - time.time())
        name = f"{self._name}-{window}"
        tasks.enqueue(QUEUE, self._function, body, name=name, delay_seconds=delay)
        self._last_window = window


def began_later(began_at: float, due_at: float) -> bool:
    """Whether a recount that began then has seen all that was due (both in epoch seconds)."""
    return began_at > due_at + CLOCK_SKEW_SECONDS
