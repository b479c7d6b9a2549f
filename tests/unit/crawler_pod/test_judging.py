"""What the browser may ask for, and what a refusal means for the page."""

import asyncio

import pytest

from crawler_pod.attempts import FetchFailed
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
