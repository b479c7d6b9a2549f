"""Pages that no shop should write: each is one page's trouble, and the others are read."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import msgspec
import pytest

from crawler_pod.attempts import FetchFailed, Page, Permit
from crawler_pod.crawl import Crawl
from crawler_pod.documents import decoded
from crawler_pod.fetching import Fetcher
from crawler_pod.frontier import Frontier
from crawler_pod.guard import Guard
from crawler_pod.pace import OwnPace
from shared.crawling.recipes import Fields, Job, Limits, Listing, Recipe
from shared.crawling.results import Row

SITE = "http://shop.example"
OFFER = '"offers": {"price": "10.00", "priceCurrency": "LKR"}'
GOOD = f'<script type="application/ld+json">{{"@type": "Product", "name": "Tea", {OFFER}}}</script>'


class Site:
    """Answers with pages that a test wrote; it has no robots.txt unless one is among them."""

    def __init__(self, pages: Mapping[str, str | Exception], content_type: str) -> None:
        self._pages = pages
        self._headers = {"content-type": content_type}
        self.asked: list[str] = []

    async def page(self, url: str, _: float, permit: Permit) -> Page:
        await permit(url)
        path = url.removeprefix(SITE)
        self.asked.append(path)
        found = self._pages.get(path)
        if isinstance(found, Exception):
            raise found
        if found is None:
            raise FetchFailed("status_404", "answers 404")
        return Page(url, 200, self._headers, found.encode())


def crawl(
    pages: Mapping[str, str | Exception], *, content_type: str = "text/html", **more: Any
) -> tuple[Crawl, list[Row], list[str]]:
    """The crawl of `/list`, its rows in JSON and back, and the paths that were asked for."""
    listing = Listing(products="a.p", next="a.n", cards=more.pop("cards", None))
    recipe = Recipe(
        retailer="Shop",
        version=1,
        start_urls={"tea": [f"{SITE}/list"]},
        listing=listing,
        **more,
    )
    kept: list[Row] = []
    site = Site(pages, content_type)

    def keep(row: Row) -> None:
        kept.append(msgspec.json.decode(msgspec.json.encode(row), type=Row))

    made = Crawl(recipe, Job("j", "tea", 1), cast("Fetcher", site), keep)
    asyncio.run(made.run())
    return made, kept, site.asked


def links(*paths: str, kind: str = "p") -> str:
    return "".join(f'<a class="{kind}" href="{path}"></a>' for path in paths)


FIELDS = Fields(name="h1", price="b", unit_price="i")


@pytest.mark.parametrize(
    ("odd", "read"),
    [
        (GOOD.replace("Tea", "Tea \\ud800"), True),
        ("<h1>Tea</h1><b>Rs 5.00</b><i>Rs 4.500/100g</i>", True),
        (f"<h1>Tea</h1><b>Rs 5.00</b><i>{'x' * 301}</i>", True),
        (f'<script type="application/ld+json">{{"@type": null, {OFFER}}}</script>', False),
        (f'<script type="application/ld+json">{{"@type": 5, {OFFER}}}</script>', False),
        ("<head><meta charset=idna></head>" + GOOD, True),
        ("<head><meta charset=undefined></head>" + GOOD, True),
        ("<div>" * 3_000 + GOOD, True),
    ],
)
def test_an_odd_page_is_read_or_named_and_the_next_one_is_read(odd: str, *, read: bool) -> None:
    made, kept, _ = crawl({"/list": links("/1", "/2"), "/1": odd, "/2": GOOD}, fields=FIELDS)

    assert len(kept) == 1 + read
    assert made.counts.pages_done == 2 + read
    assert [error.kind for error in made.errors] == ["unreadable"] * (not read)


def test_what_nobody_foresaw_is_one_pages_trouble() -> None:
    made, kept, _ = crawl({"/list": links("/1", "/2"), "/1": OverflowError("odd"), "/2": GOOD})

    assert (len(kept), made.counts.pages_failed) == (1, 1)
    assert [(e.url, e.kind, e.message) for e in made.errors] == [
        (f"{SITE}/1", "unreadable", "OverflowError")
    ]


def test_rules_that_cannot_be_had_forbid_their_site_and_end_nothing() -> None:
    made, _, asked = crawl({"/robots.txt": UnicodeError("label too long"), "/list": GOOD})

    assert asked == ["/robots.txt"]
    assert made.counts.pages_disallowed == 1


def test_a_host_that_can_be_no_name_is_refused() -> None:
    async def permit(_: str) -> None:
        """Anything may be asked."""

    async def asked() -> Page:
        async with Fetcher(Guard(), OwnPace(), Limits(attempts=1)) as fetcher:
            return await fetcher.page(f"http://{'x' * 64}.example/", 0, permit)

    with pytest.raises(FetchFailed) as caught:
        asyncio.run(asked())
    assert caught.value.kind == "refused"


@pytest.mark.parametrize("name", ["punycode", "idna", "undefined", "utf-7", "rot13", "no-such"])
def test_what_is_no_encoding_of_pages_is_read_as_utf_8(name: str) -> None:
    said = {"content-type": f"text/html; charset={name}"}

    assert decoded("\u0dad\u0dda +AKM-".encode(), said) == "\u0dad\u0dda +AKM-"


def test_a_pagination_without_end_is_left_once_it_brings_nothing_new() -> None:
    endless = {f"/list{n}": links("/1") + links(f"/list{n + 1}", kind="n") for n in range(50)}
    # The start page shows no product itself, and is followed all the same.
    made, kept, asked = crawl({"/list": links("/list0", kind="n"), **endless, "/1": GOOD})

    assert len(kept) == 1
    assert sorted(asked) == ["/1", "/list", "/list0", "/list1", "/list2", "/list3", "/robots.txt"]
    assert not made.frontier.cut


def test_a_product_is_asked_for_among_many_lists() -> None:
    frontier = Frontier([f"{SITE}/list{n}" for n in range(12)], most_pages=100)
    frontier.add("product", [f"{SITE}/1", f"{SITE}/2"])
    roles = "".join(target.role[0] for target in iter(frontier.take, None))

    assert roles == "lllllplllllpll"


def test_a_crawl_stops_at_its_most_rows() -> None:
    cards = "".join(f"<li><h1>T</h1><b>Rs 1</b><a href=/{n}></a></li>" for n in range(5))
    fields = Fields(name="h1", price="b", url="a@href")
    pages = {"/list": cards + links("/more", kind="n"), "/more": ""}
    made, kept, asked = crawl(pages, cards="li", fields=fields, limits=Limits(most_rows=3))

    assert (len(kept), made.full, made.counts.products) == (3, True, 3)
    assert "/more" not in asked
