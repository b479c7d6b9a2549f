"""Groups of merged offers, and the ledger by which each merge can be undone.

A merge never touches what an offer says of itself: it says where the offer belongs. A group that
joins another one lies still with all that it knows, so that its offers can go back to it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Final, Literal

import msgspec

from shared.products.models import Product

MOST_OFFERS: Final = 20
Action = Literal["merged", "unmerged", "joined", "restored", "deleted"]


class TooManyOffers(ValueError):
    """A group would hold more offers than one may."""


class Member(msgspec.Struct, frozen=True):
    """One offer of a group; `origin` is the group that it was in before this one."""

    id: str
    retailer: str
    origin: str | None = None


class Merge(msgspec.Struct, frozen=True):
    """What one merge brought into a group, and which offer was the primary before."""

    added: tuple[str, ...]
    primary_before: str


class Group(msgspec.Struct, frozen=True):
    """Offers of one product, in the order in which they came, and the merges that stand.

    One that is `joined_to` another lies still; one that was undone has no members.
    """

    id: str
    primary_id: str
    members: tuple[Member, ...] = ()
    merges: tuple[Merge, ...] = ()
    joined_to: str | None = None

    @property
    def ids(self) -> tuple[str, ...]:
        """The offers, in the order in which they came."""
        return tuple(member.id for member in self.members)

    @property
    def alive(self) -> bool:
        """Whether offers are in it now."""
        return bool(self.members) and self.joined_to is None


class Entry(msgspec.Struct, frozen=True):
    """A line of a group's history."""

    group_id: str
    action: Action
    product_ids: tuple[str, ...]


class Change(msgspec.Struct, frozen=True):
    """The groups that are other ones afterwards, what is told of each, and what a merge added."""

    groups: tuple[Group, ...] = ()
    entries: tuple[Entry, ...] = ()
    added: tuple[str, ...] = ()


class Place(msgspec.Struct, frozen=True):
    """Where an offer belongs; neither is told of one that is in no group."""

    group_id: str | None = None
    primary: bool | None = None


def merge(
    known: Mapping[str, Group], primary: Product, duplicates: Sequence[Product], new_id: str
) -> Change:
    """What a merge changes, nothing where it stands already; raises TooManyOffers.

    `known` are the groups that the offers name; an offer of one that is lost is in none. The
    primary's group goes on under its id, else the first of another offer; others join it whole.
    """
    named = {product.id: product for product in (primary, *duplicates)}
    first, *others = _groups_of(known, named.values()) or [_begun(primary, new_id)]
    alone = [p for p in named.values() if p.group_id not in known and p.id not in first.ids]
    coming = [Member(product.id, product.retailer) for product in alone]
    coming += [Member(m.id, m.retailer, other.id) for other in others for m in other.members]
    if not coming:
        return _promoted(first, primary.id)
    if len(first.members) + len(coming) > MOST_OFFERS:
        raise TooManyOffers
    added = tuple(member.id for member in coming)
    grown = msgspec.structs.replace(
        first,
        primary_id=primary.id,
        members=(*first.members, *coming),
        merges=(*first.merges, Merge(added, first.primary_id)),
    )
    joined = [msgspec.structs.replace(other, joined_to=first.id) for other in others]
    told = [Entry(other.id, "joined", other.ids) for other in joined]
    merged_ids = added if first.id in known else grown.ids
    return Change((grown, *joined), (Entry(first.id, "merged", merged_ids), *told), added)


def unmerge(
    group: Group,
    origins: Mapping[str, Group],
    leaving: Collection[str] | None,
    new_id: Callable[[], str],
) -> Change:
    """What taking `leaving` out of the group changes; with None each offer stands alone again.

    Offers that came out of another group together, two at least, are that group again, which is
    among `origins`; where others of it went before, they are a new one, since those may be told
    apart by now. A last offer that would be left by itself leaves too.
    """
    staying = set(group.ids) - set(group.ids if leaving is None else leaving)
    rest = _without(group, set(group.ids) - staying)
    gone = tuple(pid for pid in group.ids if pid not in rest.ids)
    restored = [] if leaving is None else _restored(group, origins, set(leaving), new_id)
    told = [Entry(each.id, "restored", each.ids) for each in restored]
    changed = (rest, *restored)
    ended = _ended(changed, origins)
    return Change((*changed, *ended), (Entry(group.id, "unmerged", gone), *told))


def leave(group: Group, origins: Mapping[str, Group], product_id: str) -> Change:
    """What the deletion of an offer changes."""
    rest = _without(group, {product_id})
    entry = Entry(group.id, "deleted", (product_id,))
    return Change((rest, *_ended((rest,), origins)), (entry,))


def places(before: Iterable[Group], after: Iterable[Group]) -> dict[str, Place]:
    """Where each offer of the changed groups belongs afterwards."""
    found = {pid: Place() for group in before if group.alive for pid in group.ids}
    for group in after:
        if group.alive:
            found |= {pid: Place(group.id, pid == group.primary_id) for pid in group.ids}
    return found


def crossing(parts: Iterable[Collection[str]]) -> list[tuple[str, str]]:
    """Each pair of offers of two different parts."""
    return [(a, b) for one, other in combinations(parts, 2) for a in one for b in other]


def _begun(primary: Product, group_id: str) -> Group:
    return Group(group_id, primary.id, (Member(primary.id, primary.retailer),))


def _groups_of(known: Mapping[str, Group], products: Iterable[Product]) -> list[Group]:
    ids = dict.fromkeys(product.group_id or "" for product in products)
    return [known[group_id] for group_id in ids if group_id in known]


def _promoted(group: Group, primary_id: str) -> Change:
    """Another offer as the primary, which it stays when merges are undone that came after it.

    The merge that brought it, and those before, know of others: it goes where they are undone.
    """
    if group.primary_id == primary_id:
        return Change()
    merges = list(group.merges)
    brought = (at for at, each in enumerate(merges) if primary_id in each.added)
    for at in range(next(brought, -1) + 1, len(merges)):
        merges[at] = Merge(merges[at].added, primary_id)
    changed = msgspec.structs.replace(group, primary_id=primary_id, merges=tuple(merges))
    return Change((changed,), (Entry(group.id, "merged", (primary_id,)),))


def _without(group: Group, gone: Collection[str]) -> Group:
    """The group without some offers, empty where fewer than two are left.

    Where the last merges are undone by it, the primary is who it was before them. Where the
    primary is gone, the one before it follows, else who has been in the group the longest.
    """
    members = tuple(member for member in group.members if member.id not in gone)
    if len(members) <= 1:
        return Group(group.id, "")
    left = {member.id for member in members}
    merges, primary_id = list(group.merges), group.primary_id
    while merges and left.isdisjoint(merges[-1].added):
        primary_id = merges.pop().primary_before
    # Who comes again is brought by the later merge alone.
    kept = ((tuple(i for i in each.added if i in left), each.primary_before) for each in merges)
    merges = [Merge(added, before) for added, before in kept if added]
    if primary_id not in left:
        earlier = (each.primary_before for each in reversed(merges))
        primary_id = next((pid for pid in earlier if pid in left), members[0].id)
    return Group(group.id, primary_id, members, tuple(merges))


def _restored(
    group: Group, origins: Mapping[str, Group], leaving: set[str], new_id: Callable[[], str]
) -> list[Group]:
    found = []
    for origin_id in dict.fromkeys(m.origin for m in group.members if m.id in leaving):
        if origin_id is None:
            continue
        back = [m for m in group.members if m.origin == origin_id and m.id in leaving]
        origin = origins.get(origin_id, Group(origin_id, ""))
        lying = set(origin.ids) if origin.joined_to == group.id else set()
        again = _without(origin, set(origin.ids) - (lying & {m.id for m in back}))
        late = [Member(m.id, m.retailer) for m in back if m.id not in lying]
        found += [again] if again.alive else []
        found += [_together(late, new_id())] if len(late) > 1 else []
    return found


def _together(members: Sequence[Member], group_id: str) -> Group:
    first, *others = members
    brought = Merge(tuple(member.id for member in others), first.id)
    return Group(group_id, first.id, tuple(members), (brought,))


def _ended(changed: Iterable[Group], origins: Mapping[str, Group]) -> list[Group]:
    """The groups that had joined one of these and have no offer there any more: undone."""
    waiting, ended = list(changed), list[Group]()
    seen = {group.id for group in waiting}
    while waiting:
        group = waiting.pop()
        inside = {member.origin for member in group.members}
        joined = (each.id for each in origins.values() if each.joined_to == group.id)
        gone = [Group(each, "") for each in joined if each not in inside | seen]
        seen |= {each.id for each in gone}
        waiting += gone
        ended += gone
    return ended
