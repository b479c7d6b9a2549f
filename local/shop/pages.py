"""The shop's pages, in as many ways of writing them as retailers have."""

import json
from collections.abc import Sequence
from html import escape
from typing import Any, Final

from local.shop.assortment import Item

_SCHEMA: Final = {
    "in_stock": "InStock",
    "limited": "LimitedAvailability",
    "out_of_stock": "SoldOut",
}
_WORDS: Final = {"in_stock": "In stock", "limited": "Only 3 left", "out_of_stock": "Sold out"}


def product(item: Item, origin: str, neighbour: Item) -> str:
    """The page of one product; some describe a neighbour as well."""
    head = f'<link rel="canonical" href="{origin}{item.path}">'
    if item.markup == "json-ld":
        return _page(item.name, head + _script(_described(item, origin)), _shown(item, "Rs. "))
    if item.markup == "json-ld graph":
        graph = {
            "@context": "https://schema.org",
            "@graph": [
                {"@type": "WebSite", "name": "Corner Shop"},
                _as_numbers(neighbour, origin),
                {"@type": "ItemPage", "mainEntity": _as_numbers(item, origin)},
            ],
        }
        return _page(item.name, head + _script(graph), _shown(item, "LKR "))
    body = {
        "microdata": _microdata,
        "crossed out": _crossed_out,
        "in words": _in_words,
        "euros": _euros,
        "script": _by_script,
    }[item.markup]
    return _page(item.name, head, body(item))


def listing(category: str, items: Sequence[Item], extra: Sequence[str], after: str | None) -> str:
    """One page of a department: links or cards, other links beside them, and the next page."""
    shown = [_card(item) if item.markup == "cards" else _link(item) for item in items]
    others = [f'<li class="item"><a href="{escape(path)}">See this too</a></li>' for path in extra]
    forward = f'<a rel="next" href="{escape(after)}">Next</a>' if after else ""
    return _page(category, "", f'<ul class="items">{"".join([*shown, *others])}</ul>{forward}')


def data(item: Item) -> dict[str, Any]:
    """What a script asks for to draw the product."""
    return {
        "name": item.name,
        "brand": item.brand,
        "size": item.size,
        "sku": item.sku,
        "price": _rupees(item.price_minor),
        "image": item.image,
        "availability": _WORDS[item.availability],
    }


def _page(title: str, head: str, body: str) -> str:
    # Of a usual page most is neither the product nor its price.
    menu = "".join(f'<li><a href="/about?topic={n}">Topic {n}</a></li>' for n in range(40))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)} - Corner Shop</title>{head}</head><body>"
        f"<header><nav><ul>{menu}</ul></nav></header><main>{body}</main>"
        "<footer><p>Delivery from Rs. 350.00. Save Rs. 100.00 on your first order.</p></footer>"
        "</body></html>"
    )


def _script(value: object) -> str:
    return f'<script type="application/ld+json">{json.dumps(value)}</script>'


def _decimal(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


def _rupees(minor: int) -> str:
    return f"Rs. {minor // 100:,}.{minor % 100:02d}"


def _described(item: Item, origin: str) -> dict[str, Any]:
    return {
        "@context": "https://schema.org/",
        "@type": "Product",
        "name": item.name,
        "brand": {"@type": "Brand", "name": item.brand},
        "sku": item.sku,
        "size": item.size,
        "image": [f"{origin}{item.image}"],
        "offers": {
            "@type": "Offer",
            "price": _decimal(item.price_minor),
            "priceCurrency": item.currency,
            "availability": f"https://schema.org/{_SCHEMA[item.availability]}",
            "url": f"{origin}{item.path}",
        },
    }


def _as_numbers(item: Item, origin: str) -> dict[str, Any]:
    described = _described(item, origin)
    amount = item.price_minor // 100 if item.price_minor % 100 == 0 else item.price_minor / 100
    return {
        **described,
        "url": item.path,
        "brand": item.brand,
        "image": item.image,
        "offers": [{**described["offers"], "price": amount}],
    }


def _shown(item: Item, sign: str) -> str:
    return (
        f'<h1>{escape(item.name)}</h1><p class="price">{sign}{_decimal(item.price_minor)}</p>'
        f'<p class="stock">{_WORDS[item.availability]}</p>'
    )


def _microdata(item: Item) -> str:
    return (
        '<div itemscope itemtype="https://schema.org/Product">'
        f'<h1 itemprop="name">{escape(item.name)}</h1>'
        '<span itemprop="brand" itemscope itemtype="https://schema.org/Brand">'
        f'<meta itemprop="name" content="{escape(item.brand)}"></span>'
        f'<img itemprop="image" src="{item.image}" alt="">'
        f'<meta itemprop="sku" content="{item.sku}">'
        f'<span itemprop="size">{escape(item.size)}</span>'
        '<div itemprop="offers" itemscope itemtype="https://schema.org/Offer">'
        f'<span itemprop="price" content="{_decimal(item.price_minor)}">'
        f'{_rupees(item.price_minor)}</span><meta itemprop="priceCurrency" content="LKR">'
        f'<link itemprop="availability" href="https://schema.org/{_SCHEMA[item.availability]}">'
        "</div></div>"
    )


def _fields(item: Item, price: str) -> str:
    return (
        f'<h1 class="name">{escape(item.name)}</h1><span class="brand">{escape(item.brand)}</span>'
        f'<span class="size">{escape(item.size)}</span>'
        f'<img class="picture" src="{item.image}" alt="">'
        f'<div class="price">{price}</div><p class="stock">{_WORDS[item.availability]}</p>'
        f'<i class="sku" data-sku="{item.sku}"></i>'
    )


def _crossed_out(item: Item) -> str:
    """`Rs. 1 234/-`, the former price struck out, the price of a quantity in the same element."""
    whole, cents = divmod(item.price_minor, 100)
    price = f"Rs. {whole:,}".replace(",", "\u00a0") + (f".{cents:02d}" if cents else "/-")
    struck = f"<del>{_rupees(item.former_minor)}</del> " if item.former_minor else ""
    per = f" <small>(Rs {_decimal(item.per_minor)}/{item.per})</small>" if item.per_minor else ""
    return _fields(item, f"{struck}<b>{price}</b>{per}")


def _in_words(item: Item) -> str:
    price = f"LKR{item.price_minor // 100:,}.{item.price_minor % 100:02d}"
    if item.former_minor:
        saved = item.former_minor - item.price_minor
        price = f"Was {_rupees(item.former_minor)} Now {price} You save {_rupees(saved)}"
    per = f" {_rupees(item.per_minor)} per {item.per}" if item.per_minor else ""
    return _fields(item, price + per)


def _euros(item: Item) -> str:
    def written(minor: int) -> str:
        return f"{minor // 100:,}".replace(",", ".") + f",{minor % 100:02d}"

    former = f"statt {written(item.former_minor)} € " if item.former_minor else ""
    return _fields(item, f"{former}{written(item.price_minor)} EUR")


def _by_script(item: Item) -> str:
    fill = (
        "const [name, brand, size, price, stock] = ['name', 'brand', 'size', 'price', 'stock']"
        ".map(each => Object.assign(document.createElement('p'), {className: each}));"
        f"fetch('/data/{item.number}').then(answer => answer.json()).then(item => {{"
        "name.textContent = item.name; brand.textContent = item.brand;"
        "size.textContent = item.size; price.textContent = item.price;"
        "stock.textContent = item.availability; name.dataset.sku = item.sku;"
        "const picture = Object.assign(new Image(), {className: 'picture'});"
        "picture.setAttribute('src', item.image);"
        "document.querySelector('#app').append(name, brand, size, price, stock, picture);});"
    )
    # As of an advertisement or a map: no page of this shop.
    frame = '<iframe src="http://maps.example/"></iframe>'
    return f'{frame}<div id="app"></div><script>{fill}</script>'


def _link(item: Item) -> str:
    # The way to a page says where its visitor came from.
    return (
        f'<li class="item"><a href="{item.path}?utm_source=list&amp;utm_medium=web">'
        f"{escape(item.name)}</a></li>"
    )


def _card(item: Item) -> str:
    return (
        f'<li class="card"><a class="name" href="{item.path}">{escape(item.name)}</a>'
        f'<span class="brand">{escape(item.brand)}</span>'
        f'<span class="size">{escape(item.size)}</span>'
        f'<img class="picture" src="{item.image}" alt="">'
        f'<span class="price">{_rupees(item.price_minor)} / Unit</span>'
        f'<span class="stock">{_WORDS[item.availability]}</span>'
        f'<i class="sku" data-sku="{item.sku}"></i></li>'
    )
