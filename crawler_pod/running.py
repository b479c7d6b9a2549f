"""One job from its recipe to its manifest."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from math import inf
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from crawler_pod.addresses import joined
from crawler_pod.crawl import Browser, Crawl
from crawler_pod.fetching import Fetcher
from crawler_pod.guard import Guard
from crawler_pod.pace import OwnPace, Pace
from crawler_pod.progress import Rate, Reports, keep_telling, pages_behind, progress
from crawler_pod.storing import RowsWriter, Store, put_manifest
from shared.clock import Clock, utc_now
from shared.crawling.recipes import Job, Recipe
from shared.crawling.results import Ending, Manifest, Progress
from shared.crawling.selectors import split

# A pod that is told to end has half a minute; the pages that are at work may take a third of it.
STOPPING_SECONDS: Final = 10.0
MOST_DETAIL_CHARS: Final = 500
_HOST: Final = "127.0.0.1"


class Refusal(Exception):
    """The job cannot be begun; says why."""


class Around(msgspec.Struct):
    """What a crawl reaches beyond the site; `stop` is set by whoever ends it.

    Reports that change nothing come every `beat_seconds`; without `browses` pages that scripts
    draw are named as errors.
    """

    store: Store
    reports: Reports
    stop: asyncio.Event
    local: bool = False
    pace: Pace | None = None
    beat_seconds: float = inf
    browses: bool = True
    clock: Clock = utc_now


def opened(recipe: Recipe, *, local: bool) -> tuple[str, int] | None:
    """The address that the guard opens: only where the recipe and the pod both say so.

    Raises Refusal for an origin that is not of this machine's loopback.
    """
    if recipe.local_origin is None:
        return None
    parts = urlsplit(recipe.local_origin)
    if not local:
        raise Refusal("the recipe is one of a local shop, and this pod crawls no such shop")
    if parts.scheme != "http" or parts.hostname != _HOST or parts.port is None or parts.path:
        raise Refusal(f"local_origin must be http://{_HOST}:<port>")
    return _HOST, parts.port


async def run_job(recipe: Recipe, job: Job, around: Around) -> Manifest:
    """Crawls, stores the rows, then the manifest, and tells.

    Raises Refusal, HandedOver, or what storing did.
    """
    guard = Guard(opened(recipe, local=around.local))
    _check_starts(recipe, job)
    started_at = around.clock()
    with RowsWriter(around.store, job) as rows:
        pace = around.pace or OwnPace()
        async with (
            Fetcher(guard, pace, recipe.limits, around.clock) as fetcher,
            _browser(guard, pace, recipe, around) as browser,
        ):
            crawl = Crawl(recipe, job, fetcher, rows.write, browser)
            async with _told(crawl, around.reports, around.beat_seconds):
                ending, detail = await _crawled(crawl, job, around.stop)
    manifest = Manifest(
        **_named_by(recipe, job),
        started_at=started_at,
        finished_at=around.clock(),
        ending=ending,
        whole=ending == "completed" and not crawl.counts.pages_failed,
        counts=crawl.counts,
        rows=rows.stored(),
        errors=crawl.errors,
        errors_total=crawl.errors_total,
        detail=detail,
    )
    put_manifest(around.store, job, manifest)
    await around.reports.ended(manifest)
    return manifest


def _check_starts(recipe: Recipe, job: Job) -> None:
    starts = recipe.start_urls.get(job.category)
    if not starts:
        raise Refusal(f"the recipe has no start pages for {job.category!r}")
    for url in starts:
        if joined(url, "") is None:
            raise Refusal(f"the start page {url!r} is not an address")


def _named_by(recipe: Recipe, job: Job) -> dict[str, Any]:
    return {
        "job_id": job.job_id,
        "fencing_token": job.fencing_token,
        "retailer": recipe.retailer,
        "category": job.category,
        "recipe_version": recipe.version,
    }


@asynccontextmanager
async def _browser(
    guard: Guard, pace: Pace, recipe: Recipe, around: Around
) -> AsyncIterator[Browser | None]:
    """The way to pages that scripts draw, where the recipe has any; nothing is begun yet."""
    if not recipe.javascript or not around.browses:
        yield None
        return
    from crawler_pod.browser import ScriptedPages

    drawn = split(recipe.fields.price)[0] if recipe.fields else None
    pages = ScriptedPages(guard, pace, recipe.limits, drawn)
    try:
        yield pages
    finally:
        await pages.close()


@asynccontextmanager
async def _told(crawl: Crawl, reports: Reports, beat_seconds: float) -> AsyncIterator[None]:
    now = asyncio.get_running_loop().time
    rate = Rate(now())

    def current() -> Progress:
        counts = crawl.counts
        pace = rate.at(now(), pages_behind(counts))
        told = progress(counts, crawl.frontier.known, pace, growing=crawl.growing)
        return msgspec.structs.replace(told, note=crawl.note)

    telling = asyncio.create_task(keep_telling(current, reports, beat_seconds=beat_seconds))
    try:
        yield
    finally:
        telling.cancel()
        with suppress(asyncio.CancelledError):
            await telling


async def _crawled(crawl: Crawl, job: Job, stop: asyncio.Event) -> tuple[Ending, str | None]:
    """How it ended; whatever was found until then is kept."""
    crawling = asyncio.create_task(crawl.run())
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait(
            (crawling, stopped), timeout=job.seconds, return_when=asyncio.FIRST_COMPLETED
        )
        if not crawling.done() and not stopped.done():
            return "time_over", None
        if not crawling.done():
            crawl.stop()
            await asyncio.wait((crawling,), timeout=STOPPING_SECONDS)
            return "stopped", None
        if trouble := crawling.exception():
            return "failed", _named(trouble)
        return _by_itself(crawl)
    finally:
        for task in (crawling, stopped):
            task.cancel()
        await asyncio.gather(crawling, stopped, return_exceptions=True)


def _by_itself(crawl: Crawl) -> tuple[Ending, str | None]:
    """How a crawl ended that nothing cut short."""
    if not crawl.counts.pages_done:
        first = f": {crawl.errors[0].message}" if crawl.errors else ""
        return "failed", f"no page could be read{first}"[:MOST_DETAIL_CHARS]
    if crawl.full:
        return "row_limit", None
    return ("page_limit" if crawl.frontier.cut else "completed"), None


def _named(trouble: BaseException) -> str:
    while isinstance(trouble, BaseExceptionGroup):
        trouble = trouble.exceptions[0]
    return f"{type(trouble).__name__}: {trouble}"[:MOST_DETAIL_CHARS]
