"""The pod's browser on the test shop; it skips where crawl4ai or Chromium is not set up."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from crawler_pod import browser_packages, browser_program
from local.ports import HOST
from local.shop import astray
from local.shop.server import FAULTS, PRIVATE, Faults
from local.shop.truth import truth
from shared.crawling.recipes import Job
from tests.integration.crawling.support import crawled, rows, serving, shop_recipe

DRAWN = ["/app/", "/away/", "/private/", "/to-private", "/gone", "/broken"]
KINDS = {
    **dict.fromkeys((f"/away/{name}" for name in PRIVATE), "refused"),
    **dict.fromkeys(("/private/offers", "/to-private"), "disallowed"),
    "/gone": "status_404",
    "/broken": "status_500",
    "/not-html": "no_page",
    "/large": "too_large",
    "/loop": "redirects",
    astray.LEAVING: "refused",
}
# Of what only the proxy refuses a script learns nothing, save that it was answered.
TOLD = {"own": "reached", "own_worker": "reached", "forbidden": "refused", "service": "absent"}
TRIED = {
    *("fetch", "redirect", "worker", "socket", "stream", "transport", "by_udp", "unheard"),
    *(f"to_{name}" for name in PRIVATE),
}


class Trap:
    """A port of loopback that nobody may come to."""

    def __init__(self, tcp: socket.socket, udp: socket.socket) -> None:
        self.address = f"{HOST}:{tcp.getsockname()[1]}"
        self._sockets = tcp, udp

    def visits(self) -> list[str]:
        """What came, by TCP or UDP: the system takes it in without our help."""
        tcp, udp = self._sockets
        came: list[str] = []
        try:
            while True:
                with tcp.accept()[0] as visitor:
                    visitor.settimeout(1)
                    came.append(visitor.recv(200).decode("latin-1"))
        except BlockingIOError:
            pass
        try:
            while True:
                came.append(f"UDP: {udp.recv(200)!r}")
        except BlockingIOError:
            return came


@contextmanager
def trap() -> Iterator[Trap]:
    with socket.create_server((HOST, 0)) as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.bind(tcp.getsockname())
        for each in (tcp, udp):
            each.setblocking(False)
        yield Trap(tcp, udp)


@pytest.mark.skipif(not browser_packages.is_ready(), reason="no crawl4ai: make crawl-packages")
@pytest.mark.skipif(browser_program.found() is None, reason="no Chromium: make browser")
def test_pages_that_scripts_draw_are_read_exactly_and_no_script_leads_astray(
    tmp_path: Path,
) -> None:
    with trap() as away, serving(Faults(trap=away.address)) as (origin, shop):
        recipe = msgspec.structs.replace(shop_recipe(origin, attempts=2), javascript=DRAWN)
        manifest, _ = crawled(recipe, Job("a-job", "ice-cream", 1), tmp_path)

        found = {row["url"].removeprefix(origin): row for row in rows(tmp_path, manifest)}
        came = found.pop(astray.PATH)["name"].split()
        assert list(found.values()) == truth(origin, "ice-cream")
        assert len(found) == 42
        told = dict(each.split("=", 1) for each in came)
        assert told.keys() == TOLD.keys() | TRIED
        assert {way: told[way] for way in TOLD} == TOLD
        kinds = {error.url.removeprefix(origin): error.kind for error in manifest.errors}
        assert kinds == KINDS
        assert set(KINDS) == {*FAULTS, astray.LEAVING}
        assert away.visits() == []
        asked = [path.partition("?")[0] for path in shop.log]
        # They did ask: for what they may, and for what leads on to where they may not.
        assert {astray.OPEN, astray.PASSED_ON, astray.WORKER} <= set(asked)
        assert [path for path in asked if path.startswith(("/private/", "/images/"))] == []
