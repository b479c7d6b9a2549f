"""A product by the CSS fields of a recipe."""

from contextlib import suppress

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler_pod.found import Found, Unreadable, text_of
from shared.crawling.recipes import Fields
from shared.crawling.selectors import split
from shared.crawling.shelf_price import ShelfPrice, read_shelf_price, read_unit_price
from shared.products.currencies import CURRENCIES

Tree = LexborHTMLParser | LexborNode

_CROSSED = "del, s, strike, [style*='line-through']"


def select(tree: Tree, fields: Fields, currency: str) -> Found | None:
    """The product that `tree` shows, None where it shows no name; raises Unreadable."""
    name = _text(tree, fields.name)
    if name is None:
        return None
    stated = (_text(tree, fields.currency) or currency).upper()
    found = Found(
        name=name,
        price=ShelfPrice(0, currency),
        size=_text(tree, fields.size),
        brand=_text(tree, fields.brand),
        image=_text(tree, fields.image),
        url=_text(tree, fields.url),
        sku=_text(tree, fields.sku),
        availability=_text(tree, fields.availability),
    )
    # Last, since reading it takes the tree apart.
    found.price = _price(tree, fields, stated if stated in CURRENCIES else currency)
    return found


def _price(tree: Tree, fields: Fields, currency: str) -> ShelfPrice:
    unit_text = _text(tree, fields.unit_price)
    crossed = _text(tree, fields.was) or ""
    css, attribute = split(fields.price)
    node = tree.css_first(css)
    if node is None:
        raise Unreadable("the product shows no price")
    if attribute:
        text = node.attributes.get(attribute) or ""
    else:
        struck = node.css(_CROSSED)
        crossed = crossed or " ".join(each.text(separator=" ", strip=True) for each in struck)
        for each in struck:
            each.decompose()
        text = node.text(separator=" ", strip=True)
    try:
        price = read_shelf_price(text, currency, crossed)
    except ValueError as error:
        raise Unreadable(f"the price {text[:60]!r} {error}") from None
    if unit_text:
        # Welcome beside the price, but not needed.
        with suppress(ValueError):
            if unit := read_unit_price(unit_text, currency):
                return ShelfPrice(price.price_minor, price.currency, price.was_minor, *unit)
    return price


def _text(tree: Tree, selector: str | None) -> str | None:
    if selector is None:
        return None
    css, attribute = split(selector)
    node = tree.css_first(css)
    if node is None:
        return None
    value = node.attributes.get(attribute) if attribute else node.text(separator=" ", strip=True)
    return text_of(value)
