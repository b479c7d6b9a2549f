"""What asking for a page comes to, and when asking again may help."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

import msgspec

from crawler_pod.addresses import host
from crawler_pod.pace import Pace, Resting
from shared.clock import Clock, utc_now
from shared.crawling.recipes import Limits

_LATER: Final = frozenset((408, 425, 429, 500, 502, 503, 504))
_OK: Final = 200
# The kind of what robots.txt forbids.
DISALLOWED: Final = "disallowed"

# What may forbid an address before it is asked, however it was reached; raises FetchFailed.
Permit = Callable[[str], Awaitable[None]]


class FetchFailed(Exception):
    """No page came of it: `kind` for counting, the message for people."""

    def __init__(self, kind: str, message: str, attempts: int = 1) -> None:
        super().__init__(message)
        self.kind = kind
        self.attempts = attempts


class Page(msgspec.Struct, frozen=True):
    """What was answered; `url` is the last redirect's."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class TryAgain(Exception):
    """No page came of it, but one may; `after_seconds` is what the host of `url` asked for."""

    def __init__(
        self, kind: str, message: str, after_seconds: float | None = None, url: str = ""
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.after_seconds = after_seconds
        self.url = url


class Attempts:
    """As many as the recipe allows, with a backoff, or the rest that the host asks for."""

    def __init__(
        self,
        limits: Limits,
        pace: Pace,
        clock: Clock = utc_now,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._limits = limits
        self._pace = pace
        self._clock = clock
        self._sleep = sleep

    async def page(self, url: str, once: Callable[[], Awaitable[Page]]) -> Page:
        """What `once` gives in the end; raises FetchFailed."""
        for attempt in range(1, self._limits.attempts + 1):
            try:
                return await once()
            except TryAgain as failure:
                if failure.after_seconds is not None:
                    # Also after the last attempt: the host's other pages wait too.
                    await self._pace.hold(host(failure.url or url), failure.after_seconds)
                if attempt == self._limits.attempts:
                    raise FetchFailed(failure.kind, str(failure), attempt) from None
                if failure.after_seconds is None:
                    await self._back_off(attempt)
            except Resting as rest:
                raise FetchFailed("resting", str(rest), attempt) from None
            except FetchFailed as failure:
                failure.attempts = attempt
                raise
        raise AssertionError("a crawl has at least one attempt")

    def accepted(self, page: Page) -> Page:
        """Passes a page that is there; raises TryAgain or FetchFailed."""
        if page.status in _LATER:
            rest = rest_seconds(page.headers.get("retry-after"), self._clock())
            raise TryAgain(f"status_{page.status}", f"answers {page.status}", rest, page.url)
        if page.status != _OK:
            raise FetchFailed(f"status_{page.status}", f"answers {page.status}")
        return page

    async def _back_off(self, attempt: int) -> None:
        spread = random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, hides nothing
        await self._sleep(self._limits.backoff_seconds * 2 ** (attempt - 1) * spread)


def rest_seconds(retry_after: str | None, now: datetime) -> float | None:
    """How long a Retry-After asks to wait, whether in seconds or until a date; None if unsaid."""
    if not retry_after:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=now.tzinfo)
    return max(0.0, (until - now).total_seconds())
