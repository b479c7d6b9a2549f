"""One crawl: from the start pages of a category to its rows."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, Protocol
from urllib.parse import urlsplit

from crawler_pod.addresses import host, normal
from crawler_pod.attempts import DISALLOWED, FetchFailed, Page, Permit
from crawler_pod.documents import Document, decoded, is_html
from crawler_pod.extraction import Listed, listed, product
from crawler_pod.fetching import Fetcher
from crawler_pod.found import Unreadable
from crawler_pod.frontier import MOST_BARREN, Frontier, Target
from crawler_pod.robots import Robots, Rules
from shared.crawling.recipes import Job, Recipe
from shared.crawling.results import MOST_ERRORS, Counts, PageError, Row

log = logging.getLogger(__name__)

_NOBODY: Final = 0
_FOUND: Final = 200


class Browser(Protocol):
    """The other way to a page: what stands there after its scripts have run.

    `note` says what keeps it, while something does.
    """

    note: str | None

    async def page(self, url: str, delay_seconds: float, permit: Permit) -> Page:
        """The page; raises FetchFailed."""


class Crawl:
    """One job's crawl; `keep` takes each row once."""

    def __init__(
        self,
        recipe: Recipe,
        job: Job,
        fetcher: Fetcher,
        keep: Callable[[Row], None],
        browser: Browser | None = None,
    ) -> None:
        limits = recipe.limits
        starts = [normal(url) for url in recipe.start_urls[job.category]]
        self.frontier = Frontier(starts, min(limits.most_pages, job.max_pages or limits.most_pages))
        self.counts = Counts()
        self.counts.pages_known = self.frontier.known
        self.errors: list[PageError] = []
        self.errors_total = 0
        self.lists_at_work = 0
        self.full = False
        self._recipe = recipe
        self._fetcher = fetcher
        self._browser = browser
        self._keep = keep
        self._rows: set[str] = set()
        self._robots = Robots(self._asked_for_rules)
        self._changed = asyncio.Event()
        self._at_work = 0
        self._stopping = False

    def stop(self) -> None:
        """No further page is begun; those that are at work are finished."""
        self._stopping = True
        self._changed.set()

    @property
    def growing(self) -> bool:
        """Whether pages may still become known."""
        return bool(self.frontier.lists_left or self.lists_at_work)

    @property
    def note(self) -> str | None:
        """What keeps the crawl, where its figures do not say so."""
        return self._browser.note if self._browser is not None else None

    async def run(self) -> None:
        """Returns when every page that is known was asked for, or when it was stopped."""
        async with asyncio.TaskGroup() as workers:
            for _ in range(self._recipe.limits.at_once):
                workers.create_task(self._work())

    async def _work(self) -> None:
        while not self._stopping:
            target = self.frontier.take()
            if target is None:
                if not self._at_work:
                    return
                self._changed.clear()
                await self._changed.wait()
                continue
            self._at_work += 1
            self.lists_at_work += target.role == "list"
            try:
                await self._visit(target)
            finally:
                self._at_work -= 1
                self.lists_at_work -= target.role == "list"
                self.counts.pages_known = self.frontier.known
                self._changed.set()

    async def _visit(self, target: Target) -> None:
        try:
            seen = self._read(target, _document(await self._fetched(target.url)))
        except FetchFailed as failure:
            self._failed(target.url, failure.kind, str(failure), failure.attempts)
        except Unreadable as error:
            self._failed(target.url, "unreadable", str(error), 1)
        except RecursionError:
            self._failed(target.url, "unreadable", "is nested too deeply", 1)
        except Exception as error:
            # Whatever a page does, the others are read.
            log.warning("crawl.page_failed", exc_info=True, extra={"page": target.url})
            self._failed(target.url, "unreadable", type(error).__name__, 1)
        else:
            # Outside: a store that fails is no trouble of a page.
            self._take_in(target, seen)
            self.counts.pages_done += 1

    def _read(self, target: Target, document: Document) -> Listed:
        if target.role == "list":
            return listed(document, self._recipe)
        return Listed([], [], [product(document, self._recipe)], [])

    def _take_in(self, target: Target, seen: Listed) -> None:
        before = self.counts.products
        fresh = self.frontier.add("product", seen.products)
        for row in seen.rows:
            self._found(row)
        barren = 0 if fresh or self.counts.products > before else target.barren + 1
        if barren < MOST_BARREN:
            self.frontier.add("list", seen.next, barren)
        for trouble in seen.unreadable:
            self._note(PageError(target.url, "unreadable", trouble))

    def _found(self, row: Row) -> None:
        if row.url in self._rows:
            self.counts.duplicates += 1
            return
        if len(self._rows) >= self._recipe.limits.most_rows:
            self.full = True
            self.stop()
            return
        self._rows.add(row.url)
        self._keep(row)
        self.counts.products += 1

    def _failed(self, url: str, kind: str, message: str, attempts: int) -> None:
        if kind == DISALLOWED:
            self.counts.pages_disallowed += 1
        else:
            self.counts.pages_failed += 1
        self._note(PageError(url, kind, message, attempts))

    def _note(self, error: PageError) -> None:
        self.errors_total += 1
        if len(self.errors) < MOST_ERRORS:
            self.errors.append(error)

    async def _fetched(self, url: str) -> Page:
        rules = await self._rules(url)
        delay = max(self._recipe.limits.delay_seconds, rules.delay_seconds())
        if not urlsplit(url).path.startswith(tuple(self._recipe.javascript)):
            return await self._fetcher.page(url, delay, self._permit)
        if self._browser is None:
            raise FetchFailed("needs_browser", "is drawn by scripts, and there is no browser")
        return await self._browser.page(url, delay, self._permit)

    async def _permit(self, url: str) -> None:
        """Raises FetchFailed for what is not this site's, or what its robots.txt disallows."""
        if host(url) not in self.frontier.hosts:
            raise FetchFailed("elsewhere", "redirects to another site")
        if not (await self._rules(url)).allow(url):
            raise FetchFailed(DISALLOWED, "is disallowed by robots.txt")

    async def _rules(self, url: str) -> Rules:
        if not self._recipe.obeys_robots:
            return Rules(None, allows_all=True)
        return await self._robots.rules(url)

    async def _asked_for_rules(self, url: str) -> tuple[int, bytes]:
        async def anything(_: str) -> None:
            """What may be asked is not known yet."""

        try:
            page = await self._fetcher.page(url, self._recipe.limits.delay_seconds, anything)
        except FetchFailed as failure:
            status = failure.kind.removeprefix("status_")
            return (int(status) if status.isdecimal() else _NOBODY), b""
        except Exception:
            log.warning("crawl.rules_failed", exc_info=True, extra={"page": url})
            # Rules that cannot be had forbid their own origin, and end nothing.
            return _NOBODY, b""
        return _FOUND, page.body


def _document(page: Page) -> Document:
    if not is_html(page.headers):
        raise FetchFailed("no_page", "is no page")
    return Document(page.url, decoded(page.body, page.headers))
