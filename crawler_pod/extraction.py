"""What a page shows: a product, or a list of products and where to look further."""

from typing import Any, Final

import msgspec

from crawler_pod.documents import Document
from crawler_pod.found import Found, Unreadable, row
from crawler_pod.microdata import microdata
from crawler_pod.selecting import select
from crawler_pod.structured import address, json_ld, read
from shared.crawling.recipes import Recipe
from shared.crawling.results import Row, Source

# As with links: cards may lie within each other, and each is looked through by itself.
MOST_CARDS: Final = 1_000


class Listed(msgspec.Struct):
    """What a page of a list leads to, and the products that it holds whole.

    `unreadable` says of each card without a price what is wrong with it.
    """

    products: list[str]
    next: list[str]
    rows: list[Row]
    unreadable: list[str]


def product(document: Document, recipe: Recipe) -> Row:
    """The product of a product's page: structured data first, else the recipe's fields.

    Raises Unreadable.
    """
    trouble = Unreadable("the page shows no product")
    if recipe.structured:
        source, marked = _marked(document)
        if marked is not None:
            try:
                return row(read(marked, recipe.currency), document.canonical, document, source)
            except Unreadable as error:
                trouble = error
    if recipe.fields is not None:
        chosen = select(document.tree, recipe.fields, recipe.currency)
        if chosen is not None:
            return row(chosen, document.canonical, document, "css")
    raise trouble


def listed(document: Document, recipe: Recipe) -> Listed:
    """What a page of a list holds."""
    listing = recipe.listing
    found = Listed(
        products=document.links(listing.products) if listing.products else [],
        next=document.links(listing.next) if listing.next else [],
        rows=[],
        unreadable=[],
    )
    if listing.cards and recipe.fields is not None:
        for node in document.tree.css(listing.cards)[:MOST_CARDS]:
            try:
                if chosen := select(node, recipe.fields, recipe.currency):
                    found.rows.append(_card(chosen, document))
            except Unreadable as error:
                found.unreadable.append(str(error))
    return found


def _card(found: Found, document: Document) -> Row:
    url = document.absolute(found.url) if found.url else None
    if url is None:
        raise Unreadable(f"the card of {found.name!r} has no address")
    return row(found, url, document, "css")


def _marked(document: Document) -> tuple[Source, dict[str, Any] | None]:
    """The product that the page is about: beside it a page may describe its neighbours."""
    source: Source = "json-ld"
    marked = list(json_ld(document))
    if not marked:
        source, marked = "microdata", list(microdata(document))
    addresses = [(address(each), each) for each in marked]
    for link, each in addresses:
        if link and document.absolute(link) in (document.canonical, document.own):
            return source, each
    return source, next((each for link, each in addresses if not link), None)
