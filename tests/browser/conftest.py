"""Where the browser comes from, and the stack that serves the console."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from local.stack import Stack
from tests.browser.judging import NewPage
from tests.sessions import COOKIE, SUPER_ADMIN, SignedIn, log_in, new_client

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
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
        pytest.skip(f"chromium is not at {CHROMIUM}; install it or set CHROMIUM")
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


@pytest.fixture
def new_page(browser: Browser, console_url: str, session: SignedIn) -> Iterator[NewPage]:
    """Makes pages that are signed in, each with cookies and storage of its own."""
    opened: list[BrowserContext] = []
    failures: list[str] = []

    def make(**options: Any) -> Page:
        context = browser.new_context(**options)
        context.add_cookies([{"name": COOKIE, "value": session.cookie, "url": console_url}])
        opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: failures.append(f"{page.url}: {error}"))
        return page

    yield make
    for context in opened:
        context.close()
    assert failures == []
