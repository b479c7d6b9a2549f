"""What a crawl of the shop has to find, and how the shop is to be crawled."""

from typing import Any, Final

from local.shop.assortment import DEPARTMENTS, RETAILER, items

_SOURCES: Final = {"json-ld": "json-ld", "json-ld graph": "json-ld", "microdata": "microdata"}


def truth(origin: str, category: str) -> list[dict[str, Any]]:
    """Each product of a department as a row of a result, in order of address."""
    rows = [
        {
            "url": f"{origin}{item.path}",
            "name": item.name,
            "price_minor": item.price_minor,
            "currency": item.currency,
            "source": _SOURCES.get(item.markup, "css"),
            "was_minor": item.former_minor,
            "unit_price_minor": item.per_minor,
            "unit": item.per,
            "size": item.size,
            "brand": item.brand,
            "image": f"{origin}{item.image}",
            "sku": item.sku,
            "availability": item.availability,
        }
        for item in items()
        if item.category == category
    ]
    return sorted(rows, key=lambda row: str(row["url"]))


def recipe(origin: str, **limits: Any) -> dict[str, Any]:
    """The recipe of the shop at `origin`."""
    return {
        "retailer": RETAILER,
        "version": 1,
        "start_urls": {each: [f"{origin}/c/{each}"] for each in DEPARTMENTS},
        "listing": {
            "products": ".items .item a@href",
            "next": "a[rel=next]@href",
            "cards": ".items .card",
        },
        "fields": {
            "name": ".name",
            "price": ".price",
            "size": ".size",
            "brand": ".brand",
            "image": ".picture@src",
            "url": "a.name@href",
            "availability": ".stock",
            "sku": "[data-sku]@data-sku",
        },
        "javascript": ["/app/"],
        "limits": limits,
        "local_origin": origin,
    }
