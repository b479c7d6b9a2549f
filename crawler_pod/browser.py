"""Pages that scripts draw: crawl4ai over a Chromium of ours, begun with the first such page."""

import asyncio
import json
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final
from weakref import WeakKeyDictionary

from crawler_pod import browser_packages, browser_program
from crawler_pod.addresses import host
from crawler_pod.attempts import DISALLOWED, Attempts, FetchFailed, Page, Permit, TryAgain
from crawler_pod.chromium import Chromium, NoBrowser
from crawler_pod.guard import Guard
from crawler_pod.guard_proxy import GuardProxy
from crawler_pod.pace import Pace
from crawler_pod.setting_up import SetUpFailed
from shared.clients.guarded_network import Refused
from shared.crawling.recipes import USER_AGENT, Limits

AT_ONCE: Final = 2
SETTING_UP: Final = "The pod sets up its browser: minutes, the first time on a machine."
# A page brings scripts and data along; each connection may carry so many pages' worth.
_BODIES: Final = 4
_CLOSING_SECONDS: Final = 5.0
_OK: Final = 200
# What Chromium says of a redirect to a file.
_NO_PAGE: Final = "ERR_UNSAFE_REDIRECT"
# They would ask for more behind the page's back, and keep one page's answers for another.
_NO_SERVICE_WORKERS: Final = "delete Navigator.prototype.serviceWorker"
_NOT_LOADED: Final = frozenset(("Image", "Media", "Font", "Ping", "TextTrack", "Prefetch"))


class _Judged:
    """One page's requests; `settled` once nothing more can come of it.

    Then `refusal` is why its document was not to be had, or `answered` the error in its place.
    `withheld` tells that its scripts were refused what robots.txt disallows.
    """

    def __init__(self, guard: Guard, permit: Permit) -> None:
        self._guard = guard
        self._permit = permit
        self.refusal: FetchFailed | None = None
        self.answered: Page | None = None
        self.settled = asyncio.Event()
        self.withheld = False

    def settle(self, answered: Page) -> None:
        """No page, but an error was answered."""
        self.answered = answered
        self.settled.set()

    async def passes(self, url: str, kind: str, *, main: bool) -> bool:
        """Whether the browser may ask; each step of a redirect is asked about by itself.

        What a frame within the page is not allowed (`main` is false) only that frame lacks.
        """
        if kind in _NOT_LOADED:
            return False
        if kind != "Document":
            return await self._script_may_ask(url)
        try:
            self._guard.check_url(url)
            await self._permit(url)
        except Refused as error:
            failure = FetchFailed("refused", str(error))
        except FetchFailed as error:
            failure = error
        else:
            return True
        if main:
            self.refusal = self.refusal or failure
            self.settled.set()
        return False

    def failure(self, said: str) -> FetchFailed | TryAgain:
        """What became of the page, where the browser or crawl4ai `said` so of it."""
        if _NO_PAGE in said:
            return FetchFailed("refused", "redirects to what is no page")
        why = "; robots.txt disallows what its scripts ask for" if self.withheld else ""
        if "Timeout" in said:
            return TryAgain("timeout", f"was not drawn in time{why}")
        return TryAgain("browser", f"cannot be drawn{why}")

    async def _script_may_ask(self, url: str) -> bool:
        """What robots.txt keeps from us it keeps from a page's scripts; the rest is the proxy's."""
        try:
            await self._permit(url)
        except FetchFailed as failure:
            self.withheld = self.withheld or failure.kind == DISALLOWED
            return failure.kind != DISALLOWED
        return True


class ScriptedPages:
    """The browser of one crawl; `drawn` is the CSS selector that is there once a page is drawn."""

    def __init__(self, guard: Guard, pace: Pace, limits: Limits, drawn: str | None) -> None:
        self._guard = guard
        self._pace = pace
        self._limits = limits
        self._drawn = drawn
        self._attempts = Attempts(limits, pace)
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._starting = asyncio.Lock()
        self._begun = AsyncExitStack()
        self._strategy: Any = None
        self._trouble: str | None = None
        self.note: str | None = None
        # A page of the browser may serve one address after the other.
        self._judged: WeakKeyDictionary[Any, _Judged] = WeakKeyDictionary()

    async def page(self, url: str, delay_seconds: float, permit: Permit) -> Page:
        """The page as it stands once it is drawn; raises FetchFailed."""
        await permit(url)
        async with self._gate:
            async with self._starting:
                await self._start()

            async def once() -> Page:
                await self._pace.turn(host(url), delay_seconds)
                return self._attempts.accepted(await self._drawn_page(url, permit))

            return await self._attempts.page(url, once)

    async def close(self) -> None:
        """Ends what was begun."""
        await self._begun.aclose()

    async def _start(self) -> None:
        if self._trouble is None and self._strategy is None:
            try:
                self._strategy = await self._begin()
            except (SetUpFailed, NoBrowser) as error:
                self._trouble = str(error)
        if self._trouble is not None:
            raise FetchFailed("needs_browser", self._trouble)

    async def _begin(self) -> Any:
        folder = self._begun.enter_context(
            tempfile.TemporaryDirectory(prefix="crawl4ai-", ignore_cleanup_errors=True)
        )
        browser_packages.quiet(Path(folder))
        lacking = browser_packages.missing() or browser_program.found() is None
        self.note = SETTING_UP if lacking else None
        try:
            await asyncio.to_thread(browser_packages.ensure)
            program = await asyncio.to_thread(browser_program.ensure)
        finally:
            self.note = None
        proxy = GuardProxy(self._guard, self._limits.most_body_bytes * _BODIES)
        await proxy.start()
        self._begun.push_async_callback(proxy.close)
        chromium = Chromium(program, proxy.url)
        self._begun.push_async_callback(chromium.close)
        strategy = _strategy(await chromium.start(), proxy.url)
        strategy.set_hook("on_page_context_created", self._watch)
        strategy.set_hook("after_goto", self._arrived)
        await strategy.start()
        self._begun.push_async_callback(strategy.close)
        return strategy

    async def _drawn_page(self, url: str, permit: Permit) -> Page:
        judged = _Judged(self._guard, permit)
        crawling = asyncio.ensure_future(self._strategy.crawl(url, config=self._asked(judged)))
        settled = asyncio.ensure_future(judged.settled.wait())
        try:
            await asyncio.wait(
                (crawling, settled),
                timeout=self._limits.page_seconds * 2,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            for task in (crawling, settled):
                task.cancel()
            await asyncio.wait((crawling, settled), timeout=_CLOSING_SECONDS)
        if judged.refusal is not None:
            raise judged.refusal
        if judged.answered is not None:
            return judged.answered
        if not crawling.done() or crawling.cancelled():
            raise judged.failure("Timeout")
        if error := crawling.exception():
            raise judged.failure(str(error))
        return self._read(url, crawling.result())

    def _read(self, url: str, answer: Any) -> Page:
        body = str(answer.html).encode()
        if len(body) > self._limits.most_body_bytes:
            raise FetchFailed("too_large", f"is larger than {self._limits.most_body_bytes} bytes")
        status = answer.redirected_status_code or answer.status_code or 0
        told = {name.lower(): value for name, value in (answer.response_headers or {}).items()}
        headers = {**told, "content-type": "text/html; charset=utf-8"}
        return Page(answer.redirected_url or url, status, headers, body)

    def _asked(self, judged: _Judged) -> Any:
        from crawl4ai import CacheMode, CrawlerRunConfig

        drawn = f"js:() => document.querySelector({json.dumps(self._drawn)}) !== null"
        return CrawlerRunConfig(
            cache_mode=CacheMode.BYPASS,
            verbose=False,
            page_timeout=int(self._limits.page_seconds * 1000),
            wait_until="domcontentloaded" if self._drawn else "networkidle",
            wait_for=drawn if self._drawn else None,
            delay_before_return_html=0,
            shared_data={"judged": judged},
        )

    async def _arrived(self, page: Any, response: Any, config: Any, **_: Any) -> Any:
        """A page that tells of an error holds no price that anybody could wait for."""
        if response is not None and response.status != _OK:
            answered = Page(response.url, response.status, response.headers, b"")
            config.shared_data["judged"].settle(answered)
        return page

    async def _watch(self, page: Any, context: Any, config: Any, **_: Any) -> Any:
        """Has the browser ask before each request of this page, redirects included."""
        known = page in self._judged
        self._judged[page] = config.shared_data["judged"]
        if known:
            return page
        await page.add_init_script(_NO_SERVICE_WORKERS)
        session = await context.new_cdp_session(page)
        tree = await session.send("Page.getFrameTree")
        main = tree["frameTree"]["frame"]["id"]
        asking: set[asyncio.Task[None]] = set()

        def paused(event: dict[str, Any]) -> None:
            answer = self._answer(session, page, event, main=event["frameId"] == main)
            task = asyncio.ensure_future(answer)
            asking.add(task)
            task.add_done_callback(asking.discard)

        session.on("Fetch.requestPaused", paused)
        await session.send("Fetch.enable", {"patterns": [{"requestStage": "Request"}]})
        return page

    async def _answer(self, session: Any, page: Any, event: dict[str, Any], *, main: bool) -> None:
        request = {"requestId": event["requestId"]}
        judged = self._judged[page]
        passes = await judged.passes(event["request"]["url"], event["resourceType"], main=main)
        try:
            if passes:
                await session.send("Fetch.continueRequest", request)
            else:
                refused = {**request, "errorReason": "BlockedByClient"}
                await session.send("Fetch.failRequest", refused)
        except Exception:  # noqa: BLE001, S110 - the page may be gone by now, and its request with it
            pass


def _strategy(devtools_url: str, proxy_url: str) -> Any:
    from crawl4ai import AsyncLogger, BrowserConfig
    from crawl4ai.async_crawler_strategy import AsyncPlaywrightCrawlerStrategy

    configured = BrowserConfig(
        cdp_url=devtools_url,
        # Each crawl's pages stand in a context that knows nothing of others.
        create_isolated_context=True,
        proxy_config={"server": proxy_url},
        user_agent=USER_AGENT,
        ignore_https_errors=False,
        accept_downloads=False,
        verbose=False,
    )
    return AsyncPlaywrightCrawlerStrategy(
        browser_config=configured, logger=AsyncLogger(verbose=False)
    )
