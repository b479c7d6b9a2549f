"""How much of an answer the fast way takes in."""

import asyncio
import gzip
import http.server
import zlib
from collections.abc import Iterator

import pytest

from crawler_pod.attempts import FetchFailed, Page
from crawler_pod.fetching import Fetcher
from crawler_pod.guard import Guard
from crawler_pod.pace import OwnPace
from local.ports import HOST
from shared.crawling.recipes import Limits
from tests.unit.crawler_pod.sites import served

MOST = 1_000_000
# A few kB on their way.
UNPACKED = bytes(3 * MOST)
PACKED = {"gzip": gzip.compress(UNPACKED), "deflate": zlib.compress(UNPACKED)}


class Site(http.server.BaseHTTPRequestHandler):
    """Answers with what is much larger than it seems, in the encoding that its path names."""

    seen: list[str]

    def do_GET(self) -> None:
        content = PACKED[self.path[1:]]
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Encoding", self.path[1:])
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served(Site) as server:
        yield server.server_address[1]


def fetched(port: int, encoding: str, most_body_bytes: int) -> Page:
    async def permit(_: str) -> None:
        """Every address."""

    async def fetch() -> Page:
        limits = Limits(delay_seconds=0, attempts=1, most_body_bytes=most_body_bytes)
        async with Fetcher(Guard((HOST, port)), OwnPace(), limits) as fetcher:
            return await fetcher.page(f"http://{HOST}:{port}/{encoding}", 0, permit)

    return asyncio.run(fetch())


@pytest.mark.parametrize("encoding", PACKED)
def test_a_small_answer_that_unpacks_to_much_is_cut_off(port: int, encoding: str) -> None:
    assert len(PACKED[encoding]) < MOST / 100
    with pytest.raises(FetchFailed) as caught:
        fetched(port, encoding, MOST)
    assert (caught.value.kind, str(MOST) in str(caught.value)) == ("too_large", True)
    # The cap is what refuses it, and nothing else of it.
    assert fetched(port, encoding, len(UNPACKED)).body == UNPACKED
