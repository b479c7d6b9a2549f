"""Pages as shops write them, and what is read from them."""

import gzip
import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler_pod import addresses
from crawler_pod.addresses import joined, normal
from crawler_pod.documents import Document, decoded
from crawler_pod.extraction import listed, product
from crawler_pod.found import Unreadable, availability
from crawler_pod.frontier import Frontier
from crawler_pod.microdata import microdata
from crawler_pod.storing import Folder, HandedOver, RowsWriter, put_manifest
from shared.crawling.recipes import Fields, Job, Listing, Recipe
from shared.crawling.results import Counts, Manifest, Row, StoredRows, manifest_name

URL = "http://shop.example/p/1"
NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
OFFER = '"offers": {"@type": "Offer", "price": "10.00", "priceCurrency": "LKR"}'


def recipe(fields: Fields | None = None, **more: Any) -> Recipe:
    return Recipe(
        retailer="Shop",
        version=1,
        start_urls={"tea": [URL]},
        listing=Listing(**more),
        fields=fields,
    )


def read(body: str, fields: Fields | None = None) -> Row:
    return product(Document(URL, f"<html><body>{body}</body></html>"), recipe(fields))


def ld(text: str) -> str:
    return f'<script type="application/ld+json">{text}</script>'


@pytest.mark.parametrize(
    "text",
    [
        f'{{"@type": "Product", "name": "Tea", {OFFER}}}',
        f'[{{"@type": "Thing"}}, {{"@type": ["Product", "Thing"], "name": "Tea", {OFFER}}}]',
        f'{{"@graph": [{{"@type": "https://schema.org/Product", "name": "Tea", {OFFER}}}]}}',
        f'{{"@type": "WebPage", "mainEntity": {{"@type": "Product", "name": "Tea", {OFFER}}}}}',
        f'<!-- {{"@type": "Product", "name": "Tea", {OFFER}}} -->',
        f'//<![CDATA[\n{{"@type": "Product", "name": "Tea", {OFFER}}}\n//]]>',
        f'{{"@type": "Product", "name": "Tea", "description": "two\nlines", {OFFER}}}',
        '{"@type": "Product", "name": "Tea", "offers": [{"price": 10}, {"price": 10}]}',
        '{"@type": "Product", "name": "Tea", "offers": {"lowPrice": "10", "highPrice": "10"}}',
        '{"@type": "Product", "name": "Tea", "offers": {"lowPrice": "10", "offerCount": 1}}',
        '{"@type": "Product", "name": "Tea", "offers": {"offers": [{"price": 10.0}]}}',
        '{"@type": "Product", "name": "Tea", "offers": {"priceSpecification": {"price": 10}}}',
    ],
)
def test_a_product_is_found_however_json_ld_is_written(text: str) -> None:
    row = read(ld(text))

    assert (row.name, row.price_minor, row.currency, row.source) == ("Tea", 1000, "LKR", "json-ld")


@pytest.mark.parametrize(
    "text",
    [
        '{"@type": "Product", "name": "Tea"}',
        '{"@type": "Product", "name": "Tea", "offers": []}',
        '{"@type": "Product", "name": "Tea", "offers": {"lowPrice": "5", "highPrice": "9"}}',
        '{"@type": "Product", "name": "Tea", "offers": {"lowPrice": "5"}}',
        '{"@type": "Product", "name": "Tea", "offers": {"lowPrice": "5", "offerCount": 3}}',
        '{"@type": "Product", "name": "Tea", "offers": {"price": "US$ 12.50"}}',
        '{"@type": "Product", "name": "Tea", "offers": [{"price": 1}, {"price": 2}]}',
        '{"@type": "Product", "name": "Tea", "offers": {"price": "1.005"}}',
        f'{{"@type": "Product", "name": "", {OFFER}}}',
        f'{{"@type": "Recipe", "name": "Tea", {OFFER}}}',
        "{not json",
        "[" * 5000,
    ],
)
def test_what_states_no_single_price_is_no_product(text: str) -> None:
    with pytest.raises(Unreadable, match=r"\w"):
        read(ld(text))


def test_what_a_page_says_is_seen_in_capitals_and_by_reference() -> None:
    product = f'{{"@type": "Product", "name": "Tea", {OFFER}}}'
    assert read(f'<script type="application/ld&#x2B;json">{product}</script>').source == "json-ld"
    marked = (
        '<DIV ITEMSCOPE ITEMTYPE="https://schema.org/Product"><B ITEMPROP=name>Tea</B><P ITEMSCOPE '
        'ITEMPROP=offers ITEMTYPE="https://schema.org/Offer"><I ITEMPROP=price>10.00</I></P></DIV>'
    )
    assert read(marked).source == "microdata"
    based = Document(URL, '<BASE HREF="/other/"><a href="x"></a>')
    assert based.links("a") == ["http://shop.example/other/x"]


def test_list_and_unit_prices_of_structured_data_stand_beside_the_price() -> None:
    row = read(
        ld(
            '{"@type": "Product", "name": "Tea", "size": {"value": 200, "unitCode": "GRM"},'
            '"offers": {"price": 9.5, "priceCurrency": "GBP", "priceSpecification": ['
            '{"price": 12, "priceType": "https://schema.org/ListPrice"},'
            '{"price": 4.75, "referenceQuantity": {"value": "100", "unitCode": "GRM"}}]}}'
        )
    )

    assert (row.price_minor, row.was_minor, row.currency) == (950, 1200, "GBP")
    assert (row.unit_price_minor, row.unit, row.size) == (475, "100g", "200g")


def test_the_pages_own_product_is_told_from_its_neighbours() -> None:
    neighbour = f'{{"@type": "Product", "name": "Other", "url": "/p/2", {OFFER}}}'
    own = f'{{"@type": "Product", "name": "Tea", "url": "/p/1?utm_source=x", {OFFER}}}'

    assert read(ld(f"[{neighbour}, {own}]")).name == "Tea"
    with pytest.raises(Unreadable):
        read(ld(f"[{neighbour}, {neighbour.replace('/p/2', '/p/3')}]"))
    with pytest.raises(Unreadable):
        read(ld(neighbour))
    shown = "<h1>Green tea</h1><b>Rs 11.00</b>"
    assert read(ld(neighbour) + shown, Fields(name="h1", price="b")).name == "Green tea"


def test_structured_data_comes_first_and_css_where_it_fails() -> None:
    fields = Fields(name="h1", price=".price", url="a@href")
    shown = '<h1>Green  tea</h1><p class="price"><s>Rs 12</s> Rs. 11.00 <i>Rs 5.50/100g</i></p>'
    good = ld(f'{{"@type": "Product", "name": "Tea", {OFFER}}}')
    bad = ld('{"@type": "Product", "name": "Tea", "offers": {"price": "ask"}}')

    assert read(good + shown, fields).price_minor == 1000
    row = read(bad + shown, fields)
    assert (row.name, row.source) == ("Green tea", "css")
    assert (row.price_minor, row.was_minor, row.unit_price_minor) == (1100, 1200, 550)


def test_a_card_without_an_address_is_named_and_the_others_stand() -> None:
    fields = Fields(name="b", price="i", url="a@href")
    cards = '<li><a href="/p/7"></a><b>A</b><i>Rs 1</i></li><li><b>B</b><i>Rs 2</i></li><li></li>'
    found = listed(Document(URL, f"<ul>{cards}</ul>"), recipe(fields, cards="li"))

    assert [(row.url, row.name) for row in found.rows] == [("http://shop.example/p/7", "A")]
    assert found.unreadable == ["the card of 'B' has no address"]


@pytest.mark.parametrize(
    ("stated", "taken"),
    [
        ("/p/one", "http://shop.example/p/one"),
        ("//shop.example/p/one#x", "http://shop.example/p/one"),
        ("http://other.example/p/one", "http://shop.example/p/1"),
        ("/", "http://shop.example/p/1"),
        ("javascript:void(0)", "http://shop.example/p/1"),
    ],
)
def test_a_canonical_address_counts_where_it_can_be_true(stated: str, taken: str) -> None:
    page = f'<head><link rel="canonical" href="{stated}"></head>'

    assert Document(f"{URL}?utm_source=mail", page).canonical == taken


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("HTTP://Shop.Example:80/a?b=1&a=2#top", "http://shop.example/a?a=2&b=1"),
        ("https://shop.example.:443", "https://shop.example/"),
        ("http://shop.example/a?utm_source=x&gclid=1&q=tea", "http://shop.example/a?q=tea"),
        ("http://shop.example/\u00e9 x", "http://shop.example/%C3%A9%20x"),
        ("http://[::1]:8080/a", "http://[::1]:8080/a"),
        ("http://shop.example/x/../private/a", "http://shop.example/private/a"),
        ("http://shop.example/x/%2E%2e/./private/%2e", "http://shop.example/private/"),
        ("http://shop.example/../../a//b/..", "http://shop.example/a//"),
        ("http://shop.example/a/..", "http://shop.example/"),
        ("http://shop.example/a..b/...", "http://shop.example/a..b/..."),
    ],
)
def test_one_page_has_one_address(one: str, other: str) -> None:
    assert normal(one) == other
    assert normal(other) == other


def test_an_address_too_long_for_people_leads_to_no_page_and_is_no_base() -> None:
    long = f"{URL}/{'x' * 1_990}/"
    page = f'<head><base href="{long}"></head><a href="y"></a><a href="{"z" * 3_000}"></a>'

    assert joined(URL, long) is None
    assert joined(f"{URL}/{'x' * 1_960}/", "y" * 100) is None
    assert Document(URL, page).links("a") == ["http://shop.example/p/y"]


def test_a_product_of_very_many_offers_is_read_in_bounds() -> None:
    offer = '<i itemprop="offers" itemscope itemtype="http://schema.org/Offer"></i>'
    kind = 'itemscope itemtype="http://schema.org/Product"'
    page = Document(URL, f"<div {kind}><b itemprop=name>Tea</b>{offer * 5_000}</div>")

    assert [len(each["offers"]) for each in microdata(page)] == [100]


@pytest.mark.parametrize("link", ["mailto:a@b.example", "javascript:x", "http://[::1", "data:,x"])
def test_a_link_to_no_page_is_none(link: str) -> None:
    assert joined(URL, link) is None


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ("\u0dad\u0dda".encode(), {}),
        ("\u0dad\u0dda".encode(), {"content-type": "text/html; charset=utf-8"}),
        ("\u0dad\u0dda".encode("utf-8-sig"), {"content-type": "text/html; charset=latin-1"}),
        ('<meta charset="utf-16-le-no">\u0dad\u0dda'.encode(), {}),
    ],
)
def test_a_page_is_decoded_as_it_says(body: bytes, headers: dict[str, str]) -> None:
    assert decoded(body, headers).endswith("\u0dad\u0dda")


def test_older_encodings_are_read() -> None:
    assert (
        decoded("\u00a35".encode("cp1252"), {"content-type": "text/html;charset=cp1252"})
        == "\u00a35"
    )


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("https://schema.org/InStock", "in_stock"),
        ("http://schema.org/OutOfStock", "out_of_stock"),
        ("SoldOut", "out_of_stock"),
        ("PreOrder", "preorder"),
        ("Only 3 left", "limited"),
        ("Currently not available", "out_of_stock"),
        ("Available", "in_stock"),
        ("Ask in our shop", None),
        (None, None),
    ],
)
def test_availability_in_both_tongues(text: str | None, meaning: str | None) -> None:
    assert availability(text) == meaning


def test_a_frontier_knows_each_page_once_and_stays_on_its_site_and_in_its_bounds() -> None:
    frontier = Frontier(["http://a.example/list"], most_pages=4)
    frontier.add("product", ["http://a.example/1", "http://a.example/1", "http://b.example/1"])
    frontier.add("list", ["http://a.example/list2"])

    assert frontier.known == 3
    assert not frontier.cut
    frontier.add("product", ["http://a.example/2", "http://a.example/3"])
    assert (frontier.known, frontier.cut) == (4, True)
    taken = []
    while target := frontier.take():
        taken.append(target.url.removeprefix("http://a.example/"))
    assert taken == ["list", "list2", "1", "2"]


def row(number: int) -> Row:
    return Row(url=f"{URL}{number}", name="Tea", price_minor=1, currency="LKR", source="css")


def test_the_same_rows_are_the_same_object_and_its_checksum_is_true(tmp_path: Path) -> None:
    stored = []
    for token in (1, 2):
        job = Job("j", "tea", token)
        with RowsWriter(Folder(tmp_path), job) as rows:
            for number in range(3):
                rows.write(row(number))
        stored.append(rows.stored())

    content = (tmp_path / stored[0].name).read_bytes()
    assert stored[0].sha256 == stored[1].sha256 == hashlib.sha256(content).hexdigest()
    assert (stored[0].size_bytes, stored[0].rows) == (len(content), 3)
    lines = gzip.decompress(content).splitlines()
    assert [msgspec.json.decode(line, type=Row) for line in lines] == [row(n) for n in range(3)]


def test_of_two_pods_with_one_token_the_first_hands_over_and_neither_writes_over_the_other(
    tmp_path: Path,
) -> None:
    store, job = Folder(tmp_path), Job("j", "tea", 1)
    stored = []
    for number in range(2):
        with RowsWriter(store, job) as rows:
            rows.write(row(number))
        stored.append(rows.stored())
    manifests = [manifest(each) for each in stored]
    put_manifest(store, job, manifests[0])
    # The same again, as after an answer that was lost.
    put_manifest(store, job, manifests[0])
    with pytest.raises(HandedOver):
        put_manifest(store, job, manifests[1])

    assert (
        msgspec.json.decode((tmp_path / manifest_name(job)).read_bytes(), type=Manifest)
        == (manifests[0])
    )
    assert [hashlib.sha256((tmp_path / each.name).read_bytes()).hexdigest() for each in stored] == [
        each.sha256 for each in stored
    ]
    assert not list(tmp_path.rglob(".*"))


def manifest(rows: StoredRows) -> Manifest:
    return Manifest(
        job_id="j",
        fencing_token=1,
        retailer="Shop",
        category="tea",
        recipe_version=1,
        started_at=NOON,
        finished_at=NOON,
        ending="completed",
        whole=True,
        counts=Counts(),
        rows=rows,
        errors=[],
        errors_total=0,
    )


def test_rows_that_were_cut_off_leave_no_object(tmp_path: Path) -> None:
    class Cut(Exception):
        pass

    def cut() -> None:
        with RowsWriter(Folder(tmp_path), Job("j", "tea", 1)) as rows:
            rows.write(row(1))
            raise Cut

    with pytest.raises(Cut):
        cut()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


_SEGMENT = st.text("aZ09._~-%2eE ;@:/", max_size=6)
_LINK = st.one_of(
    st.builds("/{}/{}".format, _SEGMENT, _SEGMENT),
    st.builds(
        "{}://{}{}/{}".format,
        st.sampled_from(["http", "https", "HTTP", "ftp"]),
        st.sampled_from(["a.example", "A.example", "a.example.", "u@a.example", "[::1]", "-", ""]),
        st.sampled_from(["", ":80", ":443", ":8080", ":08080", ":65535", ":65536", ":99999"]),
        _SEGMENT,
    ),
    st.text("/.?#a:&=\\ ", max_size=8),
)


@settings(deadline=None)
@given(base=_LINK, link=_LINK)
def test_a_plain_address_is_taken_as_it_would_be_made(base: str, link: str) -> None:
    quick = addresses.joined(base, link)
    nothing = re.compile(r"(?!)")
    with pytest.MonkeyPatch.context() as slowly:
        for name in ("_PLAIN", "_PLAIN_LINK"):
            slowly.setattr(addresses, name, nothing)
        assert addresses.joined(base, link) == quick
