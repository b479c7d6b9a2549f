"""Honest progress, told at most once a second."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from math import inf
from typing import Final, Protocol

from shared.crawling.results import Counts, Manifest, Progress

EVERY_SECONDS: Final = 1.0
# The rate is that of the last while, since a site may be slower now than it was at first.
_WINDOW_SECONDS: Final = 30.0


class Reports(Protocol):
    """Who hears of a crawl."""

    async def progress(self, progress: Progress) -> None:
        """Told at most once a second, and only if something changed."""

    async def ended(self, manifest: Manifest) -> None:
        """Told once, when the result is stored."""


class Rate:
    """Pages in a second, over the last while."""

    def __init__(self, now: float) -> None:
        self._seen: deque[tuple[float, int]] = deque([(now, 0)])

    def at(self, now: float, done: int) -> float:
        """The rate, once `done` pages are done."""
        while len(self._seen) > 1 and self._seen[1][0] <= now - _WINDOW_SECONDS:
            self._seen.popleft()
        self._seen.append((now, done))
        then, before = self._seen[0]
        return (done - before) / (now - then) if now > then else 0.0


def progress(counts: Counts, known: int, rate: float, *, growing: bool) -> Progress:
    """What may be said: while lists are unread (`growing`) nobody knows how much is left."""
    done = pages_behind(counts)
    left = None if growing or not rate else round((known - done) / rate, 1)
    return Progress(
        done, known, counts.products, round(rate, 2), left, counts.pages_failed, growing
    )


def pages_behind(counts: Counts) -> int:
    """How many pages need no further look."""
    return counts.pages_done + counts.pages_failed + counts.pages_disallowed


async def keep_telling(
    current: Callable[[], Progress],
    reports: Reports,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    *,
    beat_seconds: float = inf,
) -> None:
    """Tells `reports` of changes until it is cancelled; a report that fails ends nothing.

    Where nothing changes for `beat_seconds`, that is told too.
    """
    last: Progress | None = None
    quiet_seconds = 0.0
    while True:
        await sleep(EVERY_SECONDS)
        quiet_seconds += EVERY_SECONDS
        now = current()
        if last is None or _figures(now) != _figures(last) or quiet_seconds >= beat_seconds:
            last, quiet_seconds = now, 0.0
            # Whatever keeps a report from its reader, the rows are worth more.
            with suppress(Exception):
                await reports.progress(now)


def _figures(told: Progress) -> tuple[int, int, int, str | None]:
    return told.pages_done, told.pages_known, told.products_found, told.note
