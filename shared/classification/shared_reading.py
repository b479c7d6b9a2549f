"""What many ask for in one moment is read once or twice, and for nobody from before he came."""

import time
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedReading(Generic[T]):
    """Readers who wait at the same time share what the first of them reads; nothing is kept longer.

    A failure is shared as well: each would meet it, one after the other.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._began = float("-inf")
        self._found: T | None = None
        self._error: Exception | None = None

    def read(self, make: Callable[[], T]) -> T:
        """What `make` returned, or raised, in a call that began after this one."""
        came = time.monotonic()
        with self._lock:
            if self._began > came:
                return self._outcome()
            self._began = time.monotonic()
            self._found, self._error = None, None
            try:
                self._found = make()
            except Exception as error:  # noqa: BLE001 - raised below, for whoever waits
                self._error = error
            return self._outcome()

    def _outcome(self) -> T:
        if self._error is not None:
            raise self._error
        return self._found  # type: ignore[return-value]
