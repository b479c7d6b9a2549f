"""Where the browser comes from, and the stack that serves the console."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from crawler_pod import browser_program
from local.stack import Stack
from tests.browser.judging import NewPage
from tests.sessions import COOKIE, SUPER_ADMIN, SignedIn, log_in, new_client

CHROMIUM = os.environ.get("CHROMIUM") or browser_program.found() or "chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]
PATIENCE_MS = 15_000


@pytest.fixture(scope="module")
def console_url(stack: Stack) -> str:
    return stack.plan.origin


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = shutil.which(CHROMIUM)
    if executable is None:
        pytest.skip(f"there is no {CHROMIUM}: make browser, or set CHROMIUM")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def session(stack: Stack) -> SignedIn:
    """A super admin's session, begun without the browser."""
    return log_in(stack, SUPER_ADMIN)


@pytest.fixture(scope="module")
def http(stack: Stack, session: SignedIn) -> Iterator[httpx.Client]:
    """The same user at the API."""
    with new_client(stack, session) as client:
        yield client


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Where a module's pages open: in one of its own, a page costs three times as much."""
    shared = browser.new_context()
    yield shared
    shared.close()


@pytest.fixture(scope="module")
def cookies(console_url: str, session: SignedIn) -> list[Any]:
    """What signs a page in."""
    return [{"name": COOKIE, "value": session.cookie, "url": console_url}]


@pytest.fixture
def new_page(
    browser: Browser, context: BrowserContext, console_url: str, cookies: list[Any]
) -> Iterator[NewPage]:
    """Makes pages that are signed in and find nothing that an earlier test's have kept."""
    contexts: list[BrowserContext] = []
    pages: list[Page] = []
    failures: list[str] = []
    context.clear_cookies()
    context.add_cookies(cookies)

    def make(*, viewport: Any = None, timezone_id: str | None = None, **media: Any) -> Page:
        here = context
        if timezone_id is not None:
            # What only a context has.
            here = browser.new_context(timezone_id=timezone_id)
            here.add_cookies(cookies)
            contexts.append(here)
        page = here.new_page()
        pages.append(page)
        if viewport is not None:
            page.set_viewport_size(viewport)
        page.emulate_media(**media)
        page.on("pageerror", lambda error: failures.append(f"{page.url}: {error}"))
        return page

    yield make
    for page in pages:
        if page.url.startswith(console_url):
            page.evaluate("localStorage.clear()")
        page.close()
    for each in contexts:
        each.close()
    assert failures == []
