"""What merging and unmerging take and answer."""

from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

from shared.products.merging import MOST_OFFERS, Action
from shared.products.proposal_schemas import ProductId
from shared.products.schemas import ProductView

Duplicates = Annotated[list[ProductId], Meta(min_length=1, max_length=MOST_OFFERS - 1)]
Leaving = Annotated[list[ProductId], Meta(min_length=1, max_length=MOST_OFFERS)]


class MergeRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Offers that are one product, with the one that speaks for it."""

    primary_id: ProductId
    duplicate_ids: Duplicates


class UnmergeRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Which offers leave a group; without `product_ids` all of its merges are undone."""

    group_id: ProductId
    product_ids: Leaving | None = None


class MergeAnswer(msgspec.Struct):
    """The group, and the product that its offers make.

    `added` are the offers that this very merge brought in; to take them out again is to undo it.
    """

    group_id: str
    primary_id: str
    product_ids: list[str]
    added: list[str]
    product: ProductView


class UnmergeAnswer(msgspec.Struct):
    """The offers that left the group and those that are in it still.

    `restored` are groups that had joined it, or late parts of such, and stand by themselves again.
    """

    group_id: str
    removed: list[str]
    remaining: list[str]
    restored: list[str]


class RetailerPrice(msgspec.Struct):
    """What the product costs at a retailer now: the lowest of its offers there."""

    retailer: str
    product_id: str
    price: Decimal
    currency: str


class HistoryEntry(msgspec.Struct):
    """What was done to a group, and by whom: the id of a user."""

    action: Action
    at: str
    by: str
    product_ids: list[str]


class GroupView(msgspec.Struct):
    """A group: the product that its offers make, each offer as it is, the newest 50 changes."""

    group_id: str
    primary_id: str
    product_ids: list[str]
    product: ProductView
    offers: list[ProductView]
    prices: list[RetailerPrice]
    history: list[HistoryEntry]
