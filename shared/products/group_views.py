"""Groups as the dashboard reads them: the product, its offers, their prices, what was done."""

from collections.abc import Iterable
from typing import Final

from shared.clients import firestore
from shared.clock import rfc3339
from shared.errors import NotFound
from shared.money import to_decimal
from shared.products import catalogue, group_store
from shared.products.group_schemas import (
    GroupView,
    HistoryEntry,
    MergeAnswer,
    RetailerPrice,
    UnmergeAnswer,
)
from shared.products.grouping import Merged, Undone, in_order
from shared.products.merging import merged
from shared.products.models import Product
from shared.products.picture_links import shown
from shared.products.schemas import view

MOST_LINES: Final = 50


def of_merge(done: Merged) -> MergeAnswer:
    """What a merge answers."""
    group, product = done.group, shown(merged(done.offers))
    return MergeAnswer(group.id, group.primary_id, list(group.ids), list(done.added), product)


def of_unmerge(undone: Undone) -> UnmergeAnswer:
    """What an unmerge answers."""
    group = undone.group
    return UnmergeAnswer(group.id, undone.left, list(group.ids), undone.restored)


def read(group_id: str) -> GroupView:
    """The group; raises NotFound, also of one that was undone or has joined another.

    It reads the group, its offers and the newest lines of its history: 71 documents at most.
    """
    group = group_store.read([group_id]).get(group_id)
    if group is None or not group.members:
        raise NotFound("There is no such group.")
    if group.joined_to is not None:
        raise NotFound(f"This group is part of the group {group.joined_to} now.")
    offers = in_order(group, catalogue.read_several(group.ids))
    if not offers:
        raise NotFound("There is no such group.")
    return GroupView(
        group_id=group.id,
        primary_id=group.primary_id,
        product_ids=list(group.ids),
        product=shown(merged(offers)),
        offers=[view(offer) for offer in offers],
        prices=_prices(offers),
        history=_history(group_id),
    )


def _prices(offers: Iterable[Product]) -> list[RetailerPrice]:
    lowest: dict[tuple[str, str], Product] = {}
    for offer in sorted(offers, key=lambda each: each.price_minor):
        lowest.setdefault((offer.retailer, offer.currency), offer)
    return [
        RetailerPrice(retailer, offer.id, to_decimal(offer.price_minor, currency), currency)
        for (retailer, currency), offer in sorted(lowest.items(), key=lambda item: item[0])
    ]


def _history(group_id: str) -> list[HistoryEntry]:
    query = group_store.ledger(group_id).order_by("at", direction="DESCENDING").limit(MOST_LINES)
    with firestore.errors_mapped():
        lines = [line.to_dict() or {} for line in query.stream(**firestore.limits())]
    return [
        HistoryEntry(line["action"], rfc3339(line["at"]), line["by"], line["product_ids"])
        for line in lines
    ]
