"""Pages by HTTP: guarded, paced, bounded, and tried again where that may help."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final, Self

import aiohttp
import msgspec

from crawler_pod.addresses import host, joined
from crawler_pod.guard import Guard
from crawler_pod.pace import Pace
from shared.clients.guarded_network import Refused
from shared.clock import Clock, utc_now
from shared.crawling.recipes import USER_AGENT, Limits

REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))
MOST_REDIRECTS: Final = 5
# A host that asks for a longer rest is left alone for this crawl.
LONGEST_REST_SECONDS: Final = 120.0
_LATER: Final = frozenset((408, 425, 429, 500, 502, 503, 504))
_PIECE_BYTES: Final = 64 * 1024
_OK: Final = 200

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


class _TryAgain(Exception):
    def __init__(self, kind: str, message: str, after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.after_seconds = after_seconds


class Fetcher:
    """The fast way: one session for one crawl. Use as an asynchronous context."""

    def __init__(
        self,
        guard: Guard,
        pace: Pace,
        limits: Limits,
        clock: Clock = utc_now,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._guard = guard
        self._pace = pace
        self._limits = limits
        self._clock = clock
        self._sleep = sleep
        self._session = aiohttp.ClientSession(
            connector=guard.connector(limits.at_once),
            timeout=aiohttp.ClientTimeout(total=limits.page_seconds),
            headers={"User-Agent": USER_AGENT, "Accept": "text/html,application/xhtml+xml"},
            # Nothing of one page is told to another.
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=True,
            requote_redirect_url=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def page(self, url: str, delay_seconds: float, permit: Permit) -> Page:
        """The page at the end of the redirects, each of which `permit` has to pass.

        Raises FetchFailed.
        """
        for attempt in range(1, self._limits.attempts + 1):
            try:
                return await self._followed(url, delay_seconds, permit)
            except _TryAgain as failure:
                if attempt == self._limits.attempts:
                    raise FetchFailed(failure.kind, str(failure), attempt) from None
                await self._rest(url, failure, attempt)
            except FetchFailed as failure:
                failure.attempts = attempt
                raise
        raise AssertionError("a crawl has at least one attempt")

    async def _rest(self, url: str, failure: _TryAgain, attempt: int) -> None:
        asked = failure.after_seconds
        if asked is None:
            spread = random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, hides nothing
            await self._sleep(self._limits.backoff_seconds * 2 ** (attempt - 1) * spread)
            return
        if asked > LONGEST_REST_SECONDS:
            raise FetchFailed(failure.kind, f"asks to come back in {asked:.0f} s", attempt)
        await self._pace.hold(host(url), asked)

    async def _followed(self, url: str, delay_seconds: float, permit: Permit) -> Page:
        target = url
        for _ in range(MOST_REDIRECTS + 1):
            self._check(target)
            await permit(target)
            await self._pace.turn(host(target), delay_seconds)
            page = await self._exchange(target)
            location = page.headers.get("location")
            if page.status not in REDIRECTS or not location:
                return self._accepted(page)
            found = joined(target, location)
            if found is None:
                raise FetchFailed("refused", "redirects to what is no page")
            target = found
        raise FetchFailed("redirects", f"redirects more than {MOST_REDIRECTS} times")

    def _check(self, url: str) -> None:
        try:
            self._guard.check_url(url)
        except (Refused, ValueError) as error:
            raise FetchFailed("refused", str(error)) from None

    async def _exchange(self, url: str) -> Page:
        try:
            async with self._asked(url) as response:
                headers = {name.lower(): value for name, value in response.headers.items()}
                body = b"" if response.status in REDIRECTS else await self._body(response)
                return Page(url, response.status, headers, body)
        except Refused as error:
            raise FetchFailed("refused", str(error)) from None
        except aiohttp.InvalidURL:
            raise FetchFailed("refused", "is not an address") from None
        except TimeoutError:
            raise _TryAgain("timeout", "did not answer in time") from None
        except aiohttp.ClientError as error:
            raise _TryAgain("connection", f"cannot be read: {type(error).__name__}") from None

    def _asked(self, url: str) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        from yarl import URL

        return self._session.get(URL(url, encoded=True), allow_redirects=False)

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        """Counted as it comes out of its encoding: a small answer may unpack to a huge one."""
        pieces = bytearray()
        async for piece in response.content.iter_chunked(_PIECE_BYTES):
            pieces += piece
            if len(pieces) > self._limits.most_body_bytes:
                raise FetchFailed(
                    "too_large", f"is larger than {self._limits.most_body_bytes} bytes"
                )
        return bytes(pieces)

    def _accepted(self, page: Page) -> Page:
        if page.status in _LATER:
            rest = rest_seconds(page.headers.get("retry-after"), self._clock())
            raise _TryAgain(f"status_{page.status}", f"answers {page.status}", rest)
        if page.status != _OK:
            raise FetchFailed(f"status_{page.status}", f"answers {page.status}")
        return page


def rest_seconds(retry_after: str | None, now: datetime) -> float | None:
    """How long a Retry-After asks to wait, whether in seconds or until a date; None if unsaid."""
    if not retry_after:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=now.tzinfo)
    return max(0.0, (until - now).total_seconds())
