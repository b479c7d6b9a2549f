"""A product as schema.org's vocabulary describes it, whether in JSON-LD or in microdata."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from crawler_pod.documents import Document
from crawler_pod.found import Found, Unreadable, text_of
from shared.crawling.shelf_price import ShelfPrice, read_machine_price

_DEEPEST: Final = 8
# Older templates hide scripts from browsers that knew none.
_WRAPPINGS: Final = (
    ("<!--", "-->"),
    ("//<![CDATA[", "//]]>"),
    ("/*<![CDATA[*/", "/*]]>*/"),
    ("<![CDATA[", "]]>"),
)
_FORMER: Final = ("ListPrice", "StrikethroughPrice", "SRP", "MSRP", "RegularPrice")
_PRODUCT: Final = frozenset(("Product", "ProductModel", "IndividualProduct", "SomeProducts"))
_CODE: Final = re.compile("[A-Z]{3}")
# UN/CEFACT's codes for what things are weighed and measured in.
_UNITS: Final = {"KGM": "kg", "GRM": "g", "LTR": "l", "MLT": "ml", "H87": "pcs", "C62": "pcs"}


def json_ld(document: Document) -> Iterator[dict[str, Any]]:
    """Every product that the page's JSON-LD holds; what is no JSON is passed over."""
    # The plus of its type may stand there as a reference, as ASP.NET writes it.
    if not document.mentions("json"):
        return
    for script in document.tree.css('script[type="application/ld+json"]'):
        try:
            # Control characters within texts are no JSON, but common.
            read = json.loads(_unwrapped(script.text()), parse_float=Decimal, strict=False)
        except (ValueError, RecursionError):
            continue
        yield from products(read)


def products(value: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """The products within a JSON-LD value, at whatever depth shops hide them."""
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for each in value:
            yield from products(each, depth + 1)
    elif isinstance(value, dict):
        if _types(value) & _PRODUCT and "offers" in value:
            yield value
            return
        for key in ("@graph", "mainEntity", "itemListElement", "item", "hasVariant"):
            if key in value:
                yield from products(value[key], depth + 1)


def read(product: dict[str, Any], currency: str) -> Found:
    """The product's texts and price; raises Unreadable."""
    name = text_of(product.get("name"))
    if name is None:
        raise Unreadable("the product has no name")
    offer = _offer(product["offers"])
    return Found(
        name=name,
        price=_price(offer, currency),
        size=_quantity(product.get("size")) or _quantity(product.get("weight")),
        brand=_named(product.get("brand")),
        image=_link(product.get("image")),
        url=_link(product.get("url")) or _link(offer.get("url")),
        sku=text_of(product.get("sku")) or text_of(product.get("productID")),
        availability=_link(offer.get("availability")),
    )


def address(product: dict[str, Any]) -> str | None:
    """Where a product says that its page is."""
    return _link(product.get("url"))


def _unwrapped(text: str) -> str:
    plain = text.strip()
    for begins, ends in _WRAPPINGS:
        if plain.startswith(begins):
            return plain.removeprefix(begins).removesuffix(ends)
    return plain


def _types(value: dict[str, Any]) -> set[str]:
    stated = value.get("@type", ())
    names = stated if isinstance(stated, list) else [stated]
    return {str(name).rpartition("/")[2] for name in names}


def _offer(offers: Any) -> dict[str, Any]:
    """The one offer, or the only price of several; raises Unreadable where they differ."""
    if isinstance(offers, dict) and isinstance(offers.get("offers"), list) and offers["offers"]:
        return _offer(offers["offers"])
    listed = [each for each in (offers if isinstance(offers, list) else [offers]) if each]
    known = [each for each in listed if isinstance(each, dict)]
    if not known:
        raise Unreadable("the product has no offer")
    if len({_key(each) for each in known}) > 1:
        raise Unreadable("the product has offers at several prices")
    return known[0]


def _key(offer: dict[str, Any]) -> str:
    return str((offer.get("price"), offer.get("priceCurrency"), offer.get("priceSpecification")))


def _price(offer: dict[str, Any], currency: str) -> ShelfPrice:
    specifications = offer.get("priceSpecification") or []
    listed = specifications if isinstance(specifications, list) else [specifications]
    parts = [each for each in listed if isinstance(each, dict)]
    former = [each for each in parts if _is_former(each)]
    by_quantity = [each for each in parts if each.get("referenceQuantity")]
    plain = [each for each in parts if each not in former and each not in by_quantity]
    value, stated = _stated(offer, plain, currency)
    try:
        minor = read_machine_price(value, stated)
    except ValueError as error:
        raise Unreadable(f"the price {str(value)[:40]!r} {error}") from None
    was = _machine(former[0].get("price"), stated) if former else None
    unit = _machine(by_quantity[0].get("price"), stated) if by_quantity else None
    measure = _quantity(by_quantity[0]["referenceQuantity"]) if by_quantity else None
    return ShelfPrice(
        price_minor=minor,
        currency=stated,
        was_minor=was,
        unit_price_minor=unit if measure else None,
        unit=measure if unit is not None else None,
    )


def _stated(offer: dict[str, Any], plain: list[dict[str, Any]], currency: str) -> tuple[Any, str]:
    source = offer
    value = offer.get("price")
    if value is None and plain:
        source, value = plain[0], plain[0].get("price")
    if value is None:
        low, high = offer.get("lowPrice"), offer.get("highPrice")
        # Without the highest price the lowest is only where prices begin, save of a single offer.
        single = str(high) == str(low) if high is not None else str(offer.get("offerCount")) == "1"
        if low is None or not single:
            raise Unreadable("the product has no single price")
        value = low
    code = str(source.get("priceCurrency") or offer.get("priceCurrency") or currency).strip()
    return value, code.upper() if _CODE.fullmatch(code.upper()) else currency


def _is_former(specification: dict[str, Any]) -> bool:
    return str(specification.get("priceType", "")).rpartition("/")[2] in _FORMER


def _machine(value: Any, currency: str) -> int | None:
    try:
        return read_machine_price(value, currency)
    except ValueError:
        return None


def _named(value: Any) -> str | None:
    if isinstance(value, list):
        value = value[0] if value else None
    return text_of(value.get("name")) if isinstance(value, dict) else text_of(value)


def _link(value: Any) -> str | None:
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        value = value.get("url") or value.get("contentUrl") or value.get("@id")
    return text_of(value)


def _quantity(value: Any) -> str | None:
    if not isinstance(value, dict):
        return text_of(value)
    amount = value.get("value")
    if isinstance(amount, Decimal):
        amount = str(amount)
    unit = text_of(value.get("unitText")) or _UNITS.get(str(value.get("unitCode")), "")
    number = text_of(amount)
    return f"{number}{unit}" if number else None
