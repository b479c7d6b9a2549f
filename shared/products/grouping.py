"""Merges offers into groups and takes them apart, with all consequences in one commit."""

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from shared.clients import firestore
from shared.clock import Clock, epoch_micros, utc_now
from shared.edge import cache
from shared.edge.request import Actor
from shared.errors import Conflict, Invalid
from shared.products import catalogue, decisions, group_store, merging
from shared.products.group_schemas import MergeRequest, UnmergeRequest
from shared.products.merging import MOST_OFFERS, Change, Group
from shared.products.models import Product
from shared.products.pairs import Links

if TYPE_CHECKING:
    from google.cloud.firestore import Transaction

T = TypeVar("T")

# A change that meets another one reads again; more often than this, somebody else is at it.
ATTEMPTS: Final = 6
_UNFIT: Final = {
    "deleted": "was removed; restore it first",
    "rejected": "was rejected",
    "pending": "waits for approval; approve it first",
}


class Undone(msgspec.Struct, frozen=True):
    """A group after some of its offers left, and the groups that stand by themselves again."""

    group: Group
    left: list[str]
    restored: list[str]


class Merged(msgspec.Struct, frozen=True):
    """A group with its offers, the primary first and the others as they joined.

    `added` are those that this merge brought in: none where only the primary is another one.
    """

    group: Group
    offers: list[Product]
    added: tuple[str, ...]


class _Refused(Conflict):
    """What another attempt would not change."""


def merge(wanted: MergeRequest, by: Actor, clock: Clock = utc_now) -> Merged:
    """The merged product; the same merge again changes nothing.

    Raises Invalid naming the field, or Conflict where somebody said that two are not the same.
    """
    fields = _fields(wanted)

    def run(transaction: "Transaction") -> tuple[Merged, bool]:
        offers = catalogue.read_several(fields, transaction)
        _check(fields, offers)
        named = [offers[product_id] for product_id in fields]
        groups = group_store.read((p.group_id for p in named if p.group_id), transaction)
        change = _change(groups, named)
        group = change.groups[0] if change.groups else groups[named[0].group_id or ""]
        said = _heard(named, groups, group, transaction)
        now = clock()
        offers |= catalogue.read_several(set(group.ids) - offers.keys(), transaction)
        offers |= _write(transaction, groups, change, offers, by=by, now=now)
        for pair in said:
            told = decisions.Decision(
                pair, same=True, decided_by=by.uid, decided_at=now, source="merge"
            )
            decisions.record(transaction, told)
        return Merged(group, in_order(group, offers), change.added), bool(change.groups)

    return _committed(run)


def unmerge(wanted: UnmergeRequest, by: Actor, clock: Clock = utc_now) -> Undone:
    """What became of the group; one that was undone before stays so.

    Raises Invalid naming the field, or Conflict where the group is part of another one now.
    """

    def run(transaction: "Transaction") -> tuple[Undone, bool]:
        group = _undoable(wanted, group_store.read([wanted.group_id], transaction))
        if not group.members:
            return Undone(group, [], []), False
        groups = _with_origins(group, transaction)
        change = merging.unmerge(group, groups, wanted.product_ids, _new_id)
        withdrawn = _said_by_merges(_parts(group, change), transaction)
        offers = catalogue.read_several(group.ids, transaction)
        _write(transaction, groups, change, offers, by=by, now=clock())
        _forget(transaction, withdrawn)
        rest, *restored = change.groups
        left = [pid for pid in group.ids if pid not in rest.ids]
        return Undone(rest, left, [each.id for each in restored if each.alive]), True

    return _committed(run)


def leave(
    transaction: "Transaction", removed: Product, by: Actor, now: datetime
) -> Callable[[], None]:
    """Reads what the removal of an offer does to its group, and returns what writes it."""
    groups = group_store.read([removed.group_id or ""], transaction)
    if not groups:
        return lambda: None
    (group,) = groups.values()
    groups = _with_origins(group, transaction)
    change = merging.leave(group, groups, removed.id)
    withdrawn = _said_by_merges(_parts(group, change), transaction)
    # The caller writes the offer itself.
    others = set(group.ids) - {removed.id}
    offers = catalogue.read_several(others, transaction)

    def write() -> None:
        _write(transaction, groups, change, offers, by=by, now=now)
        _forget(transaction, withdrawn)

    return write


def in_order(group: Group, offers: Mapping[str, Product]) -> list[Product]:
    """The group's offers, the primary first and the others as they joined."""
    ids = sorted(group.ids, key=lambda product_id: product_id != group.primary_id)
    return [offers[product_id] for product_id in ids if product_id in offers]


def _committed(run: "Callable[[Transaction], tuple[T, bool]]") -> T:
    """What `run` returns, with the cached pages gone where it says that something changed."""
    for _ in range(ATTEMPTS):
        held: list[Any] = []

        def attempt(transaction: "Transaction", held: list[Any] = held) -> tuple[T, bool]:
            held[:] = [transaction]
            return run(transaction)

        try:
            result, changed = firestore.in_transaction(attempt)
        except _Refused:
            raise
        except Conflict:
            continue
        if changed:
            forget_pages(epoch_micros(held[0].commit_time))
        return result
    raise Conflict("These products are being changed by others; try again.")


def forget_pages(commit_micros: int) -> None:
    """Makes every cached page unfindable that tells of groups: lists, and histories of prices."""
    for namespace in ("products", "prices"):
        cache.bump(namespace, commit_micros)


def _write(  # noqa: PLR0913 - one call, with all that it rests on
    transaction: "Transaction",
    groups: Mapping[str, Group],
    change: Change,
    offers: Mapping[str, Product],
    *,
    by: Actor,
    now: datetime,
) -> dict[str, Product]:
    """Writes a change of the groups that were read; the offers that it puts elsewhere."""
    both = group_store.moved(group_store.concerned(groups, change), offers, now)
    group_store.write(transaction, change, both, by, now)
    group_store.write_audit(transaction, groups, change, by)
    return {new.id: new for _, new in both}


def _undoable(wanted: UnmergeRequest, groups: Mapping[str, Group]) -> Group:
    group = groups.get(wanted.group_id)
    if group is None:
        raise Invalid.one("group_id", "is not a known group")
    if group.joined_to is not None:
        raise _Refused(f"This group is part of the group {group.joined_to} now.")
    if group.members:
        for at, product_id in enumerate(wanted.product_ids or ()):
            if product_id not in group.ids:
                raise Invalid.one(f"product_ids[{at}]", "is not in this group")
    return group


def _with_origins(group: Group, transaction: "Transaction") -> dict[str, Group]:
    """The group, those that joined it, and those that had joined them."""
    groups = {group.id: group}
    unread = _origins([group])
    while unread:
        found = group_store.read(unread, transaction)
        groups |= found
        unread = _origins(found.values()) - groups.keys()
    return groups


def _origins(groups: Iterable[Group]) -> set[str]:
    return {m.origin for group in groups for m in group.members if m.origin is not None}


def _new_id() -> str:
    return secrets.token_hex(10)


def _fields(wanted: MergeRequest) -> dict[str, str]:
    """Which field names each product, the primary first."""
    fields = {wanted.primary_id: "primary_id"}
    for at, product_id in enumerate(wanted.duplicate_ids):
        if product_id == wanted.primary_id:
            raise Invalid.one(f"duplicate_ids[{at}]", "is the primary itself")
        fields.setdefault(product_id, f"duplicate_ids[{at}]")
    return fields


def _check(fields: Mapping[str, str], offers: Mapping[str, Product]) -> None:
    for product_id, field in fields.items():
        offer = offers.get(product_id)
        if offer is None:
            raise Invalid.one(field, "is not a known product")
        if offer.status in _UNFIT:
            raise Invalid.one(field, _UNFIT[offer.status])


def _change(groups: Mapping[str, Group], named: Sequence[Product]) -> Change:
    primary, *duplicates = named
    try:
        return merging.merge(groups, primary, duplicates, _new_id())
    except merging.TooManyOffers:
        told = f"would make a group of more than {MOST_OFFERS} offers"
        raise Invalid.one("duplicate_ids", told) from None


def _heard(
    named: Sequence[Product],
    groups: Mapping[str, Group],
    group: Group,
    transaction: "Transaction",
) -> list[tuple[str, str]]:
    """The pairs that the merge says are the same and nobody has said so before.

    Raises Conflict where somebody has said of two that meet now that they are not.
    """
    together = [set(each.ids) for each in groups.values()]
    inside = set().union(*together)
    parts = [*together, *({pid} for pid in group.ids if pid not in inside)]
    pairs = merging.crossing(parts)
    known = _decided(pairs, transaction)
    for pair, fields in known.items():
        if not fields["same"]:
            raise _Refused(f"{' and '.join(sorted(pair))} were said not to be the same.")
    primary, *duplicates = (product.id for product in named)
    asked = {frozenset((primary, other)) for other in duplicates}
    return [pair for pair in pairs if frozenset(pair) in asked - known.keys()]


def _parts(group: Group, change: Change) -> list[Collection[str]]:
    """What the group falls into."""
    parts = [each.ids for each in change.groups if each.members]
    inside = {product_id for part in parts for product_id in part}
    return [*parts, *((pid,) for pid in group.ids if pid not in inside)]


def _said_by_merges(
    parts: Iterable[Collection[str]], transaction: "Transaction"
) -> list[tuple[str, str]]:
    """The pairs that are apart now and of which merges alone said that they are the same."""
    pairs = merging.crossing(parts)
    known = _decided(pairs, transaction)
    return [p for p in pairs if known.get(frozenset(p), {}).get("source") == "merge"]


def _forget(transaction: "Transaction", withdrawn: Iterable[tuple[str, str]]) -> None:
    links = Links()
    for a, b in withdrawn:
        decisions.forget(transaction, links, a, b)
    links.store(transaction)


def _decided(
    pairs: Sequence[tuple[str, str]], transaction: "Transaction"
) -> dict[frozenset[str], dict[str, Any]]:
    """What people said of the pairs."""
    found = firestore.existing([decisions.reference(a, b) for a, b in pairs], transaction)
    said = (snapshot.to_dict() or {} for snapshot in found)
    return {frozenset(fields["products"]): fields for fields in said}
