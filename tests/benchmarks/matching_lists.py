"""What the product's own steps read and find through capped posting lists."""

import statistics
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from shared.products import pairing, postings, turns
from shared.products.matching import POSTING_CAP, Matcher, Offer, shortlist
from shared.products.pairs import State

Lists = dict[str, dict[str, Offer]]


class Followed(NamedTuple):
    """Of some matches: reads for the one side, and shares that lists hold and that are found.

    Reads are counted by formula, from the keys and the chosen, without those for the search. What
    a task reads in truth is counted by `reads.match_product` (`tests/benchmarks/reads.py`), and
    among full lists by tests/integration/products/test_duplicates.py.
    """

    most_reads_by_formula: int
    reads_by_formula: float
    full_lists: float
    met: float
    found: float


def follow(
    offers: Sequence[Offer], asked: Sequence[tuple[int, int]], matcher: Matcher, lowest: int
) -> Followed:
    """Looks for the second offer of each of `asked`, two places, as the first one's task does.

    The lists are filled in the order of the offers; the product's own functions choose from them
    whom to judge and whom to read.
    """
    keys = [matcher.keys(offer) for offer in offers]
    lists = capped(offers, keys)
    reads, met, found, full = [], 0, 0, 0
    for place, partner in asked:
        offer, other = offers[place], offers[partner].id
        offered = {pid: each for key in keys[place] for pid, each in lists[key].items()}
        offered.pop(offer.id, None)
        likely = shortlist(offer, offered.values(), pairing.MAX_COMPARED)
        judged = matcher.judge(offer, likely, lowest)
        sure = {pid: match.confidence for pid, match in judged.items() if match.same(lowest)}
        chosen = turns.choose(sure, State())
        # Two documents and the lists, twice where they changed; then three and those chosen.
        reads.append(2 + 2 * len(keys[place]) + 3 + len(chosen))
        full += sum(len(lists[key]) >= POSTING_CAP for key in keys[place])
        met += other in offered
        found += other in chosen
    count = len(asked)
    looked_in = sum(len(keys[place]) for place, _ in asked)
    return Followed(
        max(reads), statistics.fmean(reads), full / looked_in, met / count, found / count
    )


def looked_up(offer: Offer, matcher: Matcher, lists: Lists) -> list[Offer]:
    """Whom an offer is judged among, of those that its lists hold."""
    offered = {pid: each for key in matcher.keys(offer) for pid, each in lists[key].items()}
    return shortlist(offer, offered.values(), pairing.MAX_COMPARED)


def capped(offers: Sequence[Offer], keys: list[tuple[str, ...]]) -> Lists:
    """The posting lists of offers and their keys, filled in that order."""
    lists: Lists = defaultdict(dict)
    for offer, own in zip(offers, keys, strict=True):
        for key in own:
            if postings.has_room(lists[key], offer):
                lists[key][offer.id] = offer
    return lists
