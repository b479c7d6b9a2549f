"""Recipes that a pod could do nothing with are refused when they are saved, field by field."""

import pytest

from shared.crawling import selectors
from shared.crawling.recipe_checks import problems
from shared.crawling.recipes import Fields, Listing, Site


@pytest.mark.parametrize(
    "selector",
    [
        "h1",
        "h1.title, .name",
        "a@href",
        "meta[property='og:title']@content",
        "li:nth-child(2n+1) > a[href^='/p/']@data-url",
        "div:has(> .price):not(.old)",
        "img@xlink:href",
    ],
)
def test_what_parses_is_taken(selector: str) -> None:
    assert selectors.trouble(selector) is None


@pytest.mark.parametrize(
    "selector",
    [
        *("li[[", ":::", "h1 >", "h1,", "((", "1a"),
        *("p:nope", "h1::text", "//div[@class]", "a:contains('x')"),
        # The last @ begins the attribute's name, wherever it stands.
        *("@href", "a@", "a[href*='@']", "a@b c", "a@1"),
    ],
)
def test_what_does_not_parse_is_refused(selector: str) -> None:
    assert selectors.trouble(selector)


def test_each_wrong_field_is_named() -> None:
    site = Site(
        start_urls={"tea": ["https://shop.example/", "shop.example/tea"], "a": ["http://[::1"]},
        listing=Listing(products="a.product@href", next="a[", cards=None),
        fields=Fields(name="h1", price="h1 >", unit_price="span@"),
        javascript=["/app/", "app/"],
        local_origin="http://127.0.0.1",
    )
    assert [each.field for each in problems(site)] == [
        "start_urls.tea[1]",
        "start_urls.a[0]",
        "local_origin",
        "listing.next",
        "fields.price",
        "fields.unit_price",
        "javascript[1]",
    ]


@pytest.mark.parametrize(
    ("origin", "taken"),
    [
        ("http://127.0.0.1:8080", True),
        ("http://127.0.0.1:8080/", False),
        ("http://127.0.0.1:0", False),
        ("http://127.0.0.1:x", False),
        ("https://127.0.0.1:1", False),
        ("http://10.0.0.1:80", False),
        ("http://user@127.0.0.1:80", False),
    ],
)
def test_only_a_port_of_this_machine_is_opened(
    origin: str,
    taken: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    site = Site(start_urls={}, listing=Listing(), local_origin=origin)
    assert (problems(site) == []) is taken
