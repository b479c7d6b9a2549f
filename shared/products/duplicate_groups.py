"""Which products hang together by their matches: pure rules over what their states know."""

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final

import msgspec

from shared.products.matching import Offer
from shared.products.matching.one_retailer import Clusters, least
from shared.products.pairs import State, facets, pair_id

# Of more offers than these of one product, the surest are shown; the rest form groups of their own.
MAX_MEMBERS: Final = 20
MAX_PAIRS: Final = 40

Pair = tuple[int, str, str]
"""A confidence and two products, in the order of their ids."""


class Member(msgspec.Struct, frozen=True):
    """A listed product, and the group of merged offers that it is in."""

    offer: Offer
    group_id: str | None


def grown(
    seed: tuple[str, str], states: Mapping[str, State], threshold: int
) -> tuple[list[str], set[str]]:
    """The products that hang together with a pair, by their surest links first.

    With those among them whose state is not in `states` yet, and so may have further links.
    """
    members: list[str] = []
    waiting = [(-100, each) for each in seed]
    while waiting and len(members) < MAX_MEMBERS:
        _, product_id = heapq.heappop(waiting)
        if product_id in members:
            continue
        members.append(product_id)
        for other, confidence in links(states.get(product_id, State()), threshold).items():
            heapq.heappush(waiting, (-confidence, other))
    return members, {each for each in members if each not in states}


def links(state: State, threshold: int) -> dict[str, int]:
    """The partners of a product that count, those that a person refused left out."""
    return {
        other: confidence
        for other, confidence in state.partners.items()
        if confidence >= threshold and state.decided.get(other) is not False
    }


def linked(
    members: Collection[str],
    found: Mapping[str, Member],
    states: Mapping[str, State],
    threshold: int,
) -> list[Pair]:
    """The matched pairs of what hangs together, surest first, without those of merged offers.

    Two offers of one retailer that were matched on weak evidence, formerly, are none.
    """
    there = [each for each in members if each in found]
    pairs = [
        (confidence, min(a, b), max(a, b))
        for a, b in combinations(there, 2)
        if (confidence := links(states.get(a, State()), threshold).get(b)) is not None
        and confidence >= least(threshold, one_retailer=_one_retailer(found[a], found[b]))
        and not _merged(found[a], found[b])
    ]
    return sorted(pairs, key=_rank, reverse=True)


def group_of(
    seed: tuple[str, str],
    pairs: Sequence[Pair],
    found: Mapping[str, Member],
    states: Mapping[str, State],
) -> list[Pair]:
    """Those of the pairs, surest first, that are of one group with the pair `seed`.

    A group takes a second offer of a retailer on strong evidence alone, and no two offers that a
    person refused, so that all of it may be said to be the same. A pair that would bring them in is
    a group of its own: whether it is right, a person may still say.
    """
    retailers = {each: member.offer.retailer for each, member in found.items()}
    clusters = Clusters(retailers, _refused(found, states))
    primaries: dict[str, str] = {}
    for product_id, member in found.items():
        if member.group_id is not None:
            first = primaries.setdefault(member.group_id, product_id)
            clusters.merge(first, product_id)
    for confidence, a, b in pairs:
        clusters.join(a, b, confidence)
    ids = {*seed}
    own = [pair for pair in pairs if ids == {*pair[1:]}]
    if own and clusters.together(*seed):
        return [pair for pair in pairs if all(clusters.together(seed[0], e) for e in pair[1:])]
    return own


def surest_open(
    pairs: Iterable[Pair],
    found: Mapping[str, Member],
    states: Mapping[str, State],
    facet: str,
) -> str | None:
    """The id of the surest pair that waits for a person, of those under a facet; None if none.

    Equal ones in the order of the list of duplicates, so that it meets this one first.
    """
    waiting = (
        pair_id(a, b)
        for _, a, b in pairs
        if b not in states[a].decided and facet in facets(found[a].offer, found[b].offer)
    )
    return next(waiting, None)


def shown(pairs: Iterable[Pair], states: Mapping[str, State], most: int = MAX_PAIRS) -> list[Pair]:
    """As many pairs of a group as one view holds, surest first.

    What waits for a person goes before what is confirmed: confirmed pairs are the surest of all,
    and would hide the others for good.
    """
    open_first = sorted(pairs, key=lambda pair: pair[2] in states[pair[1]].decided)
    return sorted(open_first[:most], key=_rank, reverse=True)


def _rank(pair: Pair) -> tuple[int, str]:
    return pair[0], pair_id(pair[1], pair[2])


def _refused(found: Collection[str], states: Mapping[str, State]) -> Iterator[tuple[str, str]]:
    """The pairs of those at hand that a person said are not the same."""
    for each in found:
        for other, same in states.get(each, State()).decided.items():
            if not same and other in found:
                yield each, other


def _one_retailer(a: Member, b: Member) -> bool:
    return a.offer.retailer == b.offer.retailer != ""


def _merged(a: Member, b: Member) -> bool:
    return a.group_id is not None and a.group_id == b.group_id
