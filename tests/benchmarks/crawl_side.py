"""One side of the crawl benchmark, run with the Python that has its packages.

`crawl_side.py ours|crawler|prefetch|strategy ORIGIN FOLDER` prints one line of JSON.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from crawler_pod.crawl import Crawl
from crawler_pod.documents import Document
from crawler_pod.extraction import listed, product
from crawler_pod.fetching import Fetcher
from crawler_pod.guard import Guard
from crawler_pod.pace import OwnPace
from crawler_pod.running import opened
from crawler_pod.storing import Folder, RowsWriter
from local.shop.assortment import DEPARTMENTS
from local.shop.truth import recipe
from shared.crawling.recipes import Job, Recipe
from shared.crawling.results import Row

AT_ONCE: Final = 16
ALL: Final = "all"
Clocks = tuple[float, float]
Html = Callable[[str], Awaitable[str]]


def shop(origin: str) -> Recipe:
    """Every department whose pages need no browser, as one crawl."""
    limits = {"delay_seconds": 0, "attempts": 1, "at_once": AT_ONCE}
    made: dict[str, Any] = recipe(origin, **limits)
    departments = [name for name, markup in DEPARTMENTS.items() if markup != "script"]
    made["start_urls"] = {ALL: [f"{origin}/c/{name}" for name in departments]}
    return msgspec.convert(made, Recipe)


async def ours(site: Recipe, folder: Path) -> tuple[int, list[Row]]:
    """The pod's whole fast way, robots.txt, frontier and stored rows included."""
    job = Job("bench", ALL, 1)
    found: list[Row] = []
    with RowsWriter(Folder(folder), job) as rows:

        def keep(row: Row) -> None:
            rows.write(row)
            found.append(row)

        guard = Guard(opened(site, local=True))
        async with Fetcher(guard, OwnPace(), site.limits) as fetcher:
            crawl = Crawl(site, job, fetcher, keep)
            await crawl.run()
    return crawl.counts.pages_done, found


async def theirs(site: Recipe, html: Html) -> tuple[int, list[Row]]:
    """The same pages by another way to a page's text, and the same extraction."""
    gate = asyncio.Semaphore(AT_ONCE)
    found: dict[str, Row] = {}
    pages = 0

    async def document(url: str) -> Document:
        nonlocal pages
        async with gate:
            text = await html(url)
        pages += 1
        return Document(url, text)

    async def department(url: str | None) -> None:
        products: list[str] = []
        while url:
            listing = listed(await document(url), site)
            products += listing.products
            found.update({row.url: row for row in listing.rows})
            url = listing.next[0] if listing.next else None
        for row in await asyncio.gather(*map(one, products)):
            found[row.url] = row

    async def one(url: str) -> Row:
        return product(await document(url), site)

    await asyncio.gather(*map(department, site.start_urls[ALL]))
    return pages, list(found.values())


async def by_crawl4ai(site: Recipe, side: str) -> tuple[int, list[Row], Clocks]:
    """crawl4ai's crawler over its HTTP strategy, or the strategy alone; imports are not timed.

    By default the crawler also cleans the page and makes markdown of it; with `prefetch` it leaves
    that out and only lists the page's links.
    """
    from crawl4ai import AsyncWebCrawler, CacheMode, CrawlerRunConfig
    from crawl4ai.async_crawler_strategy import AsyncHTTPCrawlerStrategy

    configured = CrawlerRunConfig(
        cache_mode=CacheMode.BYPASS, verbose=False, prefetch=side == "prefetch"
    )
    strategy = AsyncHTTPCrawlerStrategy(max_connections=AT_ONCE)
    if side == "strategy":
        async with strategy:
            began = _clocks()

            async def alone(url: str) -> str:
                return str((await strategy.crawl(url, config=configured)).html)

            return (*await theirs(site, alone), began)
    async with AsyncWebCrawler(crawler_strategy=strategy, verbose=False) as crawler:
        began = _clocks()

        async def whole(url: str) -> str:
            return str((await crawler.arun(url, config=configured)).html)

        return (*await theirs(site, whole), began)


def _clocks() -> Clocks:
    return time.perf_counter(), time.process_time()


async def timed(side: str, origin: str, folder: Path) -> dict[str, Any]:
    """What one run took and found; `sum` shows that the prices are the same."""
    site = shop(origin)
    began = _clocks()
    if side == "ours":
        pages, rows = await ours(site, folder)
    else:
        pages, rows, began = await by_crawl4ai(site, side)
    ended = _clocks()
    return {
        "seconds": ended[0] - began[0],
        "cpu": ended[1] - began[1],
        "pages": pages,
        "rows": len(rows),
        "sum": sum(row.price_minor for row in rows),
    }


if __name__ == "__main__":
    told = asyncio.run(timed(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
    sys.stdout.write(json.dumps(told) + "\n")
