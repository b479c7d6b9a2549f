"""What the browser may ask for, and what a refusal means for the page."""

import asyncio

import pytest

from crawler_pod.attempts import FetchFailed, TryAgain
from crawler_pod.browser import _Judged
from crawler_pod.guard import Guard


@pytest.mark.parametrize("url", ["http://elsewhere.example/", "http://169.254.169.254/"])
@pytest.mark.parametrize("main", [True, False])
def test_a_frame_that_is_refused_is_no_refusal_of_the_page(url: str, *, main: bool) -> None:
    async def permit(_: str) -> None:
        raise FetchFailed("elsewhere", "redirects to another site")

    judged = _Judged(Guard(), permit)

    assert not asyncio.run(judged.passes(url, "Document", main=main))
    assert (judged.refusal is not None) is main


@pytest.mark.parametrize(
    ("refusal", "passes"), [(None, True), ("elsewhere", True), ("disallowed", False)]
)
def test_a_script_asks_what_robots_txt_allows_and_elsewhere_what_the_proxy_passes(
    refusal: str | None, *, passes: bool
) -> None:
    async def permit(_: str) -> None:
        if refusal is not None:
            raise FetchFailed(refusal, "says so")

    judged = _Judged(Guard(), permit)

    assert asyncio.run(judged.passes("https://a.example/api/1", "XHR", main=True)) is passes
    assert judged.refusal is None
    told = str(judged.failure("Wait condition failed: Timeout 20000ms exceeded"))
    assert told.endswith("disallows what its scripts ask for") is not passes


@pytest.mark.parametrize(
    ("said", "kind", "again"),
    [
        ("Failed on navigating ACS-GOTO:\nPage.goto: Timeout 20000ms exceeded.", "timeout", True),
        ("Page.goto: net::ERR_UNSAFE_REDIRECT at http://a.example/", "refused", False),
        ("Target page, context or browser has been closed: Runtime", "browser", True),
    ],
)
def test_what_is_said_of_a_page_says_whether_another_attempt_may_help(
    said: str, kind: str, *, again: bool
) -> None:
    async def permit(_: str) -> None:
        """Any page may be drawn."""

    failure = _Judged(Guard(), permit).failure(said)

    assert (failure.kind, isinstance(failure, TryAgain)) == (kind, again)
