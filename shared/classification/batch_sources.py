"""The items of a batch: as they were sent, or as the catalogue has them now."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from shared.classification.batch_records import MOST_ITEMS
from shared.classification.batch_schemas import ClassifyBatch
from shared.classification.models import Item
from shared.classification.schemas import MOST_NAMED, items_of
from shared.errors import FieldError, Invalid
from shared.money import to_decimal
from shared.products import catalogue, exports
from shared.products.models import Product
from shared.products.schemas import ProductFilter

SOURCES: Final = ("products", "product_ids", "filter")
# Of a search for several words, whose query fits more than the search does.
_MOST_READ: Final = 3 * MOST_ITEMS


def source_of(wanted: ClassifyBatch) -> str:
    """Which of the three the body has; raises Invalid where that is not exactly one."""
    given = [name for name in SOURCES if getattr(wanted, name) is not None]
    if len(given) != 1:
        name = given[-1] if given else SOURCES[0]
        raise Invalid.one(name, "give exactly one of products, product_ids and filter")
    return given[0]


def items(wanted: ClassifyBatch) -> list[Item]:
    """The items, in order; raises Invalid.

    It does for prices that are none, for ids of no product, and for a filter of too many.
    """
    take: dict[str, Callable[[Any], list[Item]]] = {
        "products": items_of,
        "product_ids": _named,
        "filter": _filtered,
    }
    source = source_of(wanted)
    return take[source](getattr(wanted, source))


def _named(ids: Sequence[str]) -> list[Item]:
    products = catalogue.read_several(ids)
    found = {pid: _item(p) for pid, p in products.items() if p.status != "deleted"}
    errors = [
        FieldError(f"product_ids[{number}]", "names no product")
        for number, product_id in enumerate(ids)
        if product_id not in found
    ]
    if errors:
        raise Invalid(errors[:MOST_NAMED])
    # One that is named twice is one item.
    return list(found.values())


def _filtered(wanted: ProductFilter) -> list[Item]:
    found: list[Item] = []
    for number, page in enumerate(exports.pages(wanted), 1):
        found += map(_item, page)
        if len(found) > MOST_ITEMS or number * exports.PAGE_ROWS > _MOST_READ:
            raise Invalid.one("filter", f"fits more than {MOST_ITEMS:,} products: narrow it")
    if not found:
        raise Invalid.one("filter", "fits no product")
    return found


def _item(product: Product) -> Item:
    return Item(
        product.name,
        product.description,
        product.brand or None,
        to_decimal(product.price_minor, product.currency),
        product.id,
        product.size or None,
    )
