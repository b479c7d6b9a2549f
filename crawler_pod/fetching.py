"""Pages by HTTP: guarded, paced, bounded, and tried again where that may help."""

from contextlib import AbstractAsyncContextManager
from typing import Final, Self

import aiohttp

from crawler_pod.addresses import host, joined
from crawler_pod.attempts import Attempts, FetchFailed, Page, Permit, TryAgain
from crawler_pod.guard import Guard
from crawler_pod.pace import Pace
from shared.clients.guarded_network import Refused
from shared.clock import Clock, utc_now
from shared.crawling.recipes import USER_AGENT, Limits

REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))
MOST_REDIRECTS: Final = 5
_PIECE_BYTES: Final = 64 * 1024


class Fetcher:
    """The fast way: one session for one crawl. Use as an asynchronous context."""

    def __init__(
        self,
        guard: Guard,
        pace: Pace,
        limits: Limits,
        clock: Clock = utc_now,
    ) -> None:
        self._guard = guard
        self._pace = pace
        self._limits = limits
        self._attempts = Attempts(limits, pace, clock)
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
        return await self._attempts.page(url, lambda: self._followed(url, delay_seconds, permit))

    async def _followed(self, url: str, delay_seconds: float, permit: Permit) -> Page:
        target = url
        for _ in range(MOST_REDIRECTS + 1):
            self._check(target)
            await permit(target)
            await self._pace.turn(host(target), delay_seconds)
            page = await self._exchange(target)
            location = page.headers.get("location")
            if page.status not in REDIRECTS or not location:
                return self._attempts.accepted(page)
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
        except (aiohttp.InvalidURL, UnicodeError):
            raise FetchFailed("refused", "is not an address") from None
        except TimeoutError:
            raise TryAgain("timeout", "did not answer in time") from None
        except aiohttp.ClientError as error:
            raise TryAgain("connection", f"cannot be read: {type(error).__name__}") from None

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
