"""A few product requests in every status, as shoppers would have left them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from shared.products.product_requests import COLLECTION, new_fields, request_id_of
from shared.products.request_schemas import ProductWish

# Name, brand, size, how often it was asked for, status and note.
_WISHES: Final = (
    ("Oat Drink Barista", "Oatly", "1 l", 41, "planned", "A supplier is found; in stores in May."),
    ("Sourdough Bread", "", "", 33, "open", ""),
    ("Gluten-free Pasta", "Barilla", "400 g", 27, "open", ""),
    ("Kithul Treacle", "", "750 ml", 19, "done", "At Keells since March."),
    ("Vegan Cheese Slices", "Violife", "200 g", 14, "open", ""),
    ("Jackfruit Chips", "", "100 g", 9, "open", ""),
    ("Cold Brew Coffee", "", "250 ml", 6, "rejected", "Nobody delivers it chilled."),
    ("Bamboo Toothbrush", "", "", 2, "open", ""),
)


def wishes(now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each request's path and fields, asked for during the weeks before `now`."""
    for number, (name, brand, size, count, status, note) in enumerate(_WISHES):
        wish = ProductWish(name, brand, size)
        fields = new_fields(wish, lambda: now)
        first = now - timedelta(days=3 * number + 4)
        told = {"count": count, "status": status, "note": note, "version": 2 if note else 1}
        times = {"created_at": first, "last_asked_at": now - timedelta(hours=5 * number + 1)}
        yield f"{COLLECTION}/{request_id_of(wish)}", {**fields, **told, **times}
