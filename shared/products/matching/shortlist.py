"""Which of many candidates are worth a full comparison."""

import math
from collections import Counter
from collections.abc import Iterable
from itertools import chain
from typing import Final

from shared.products.matching.offer import Offer
from shared.products.matching.reading import name_terms
from shared.products.matching.terms import terms

# Shops shorten words behind, as the candidates of a model's training have it.
_BEGINNING: Final = 4
_TINY: Final = 1e-9


def shortlist(offer: Offer, others: Iterable[Offer], most: int) -> list[Offer]:
    """The `most` offers that share most with this one, in no particular order.

    A word counts by how rare it is among the candidates: what brought them here, a brand or a
    line, most of them share, and what tells siblings apart few do. It costs as much as a few full
    comparisons, and posting lists bring well over a hundred candidates.
    """
    by_id = {other.id: other for other in others}
    if len(by_id) <= most:
        return list(by_id.values())
    words = {pid: _beginnings(other) for pid, other in by_id.items()}
    counts = Counter(chain.from_iterable(words.values()))
    own = _beginnings(offer)
    rarity = {word: math.log((len(by_id) + 1) / (counts[word] + 0.5)) for word in {*counts, *own}}

    def weight(some: frozenset[str]) -> float:
        # Sets have no order, and a sum must not hang on one.
        return math.fsum(map(rarity.__getitem__, some))

    def likeness(pid: str) -> float:
        return weight(own & words[pid]) / max(weight(own | words[pid]), _TINY)

    likely = {pid: likeness(pid) for pid in by_id}
    best = sorted(likely, key=lambda pid: (-likely[pid], pid))[:most]
    return [by_id[pid] for pid in best]


def _beginnings(offer: Offer) -> frozenset[str]:
    return frozenset(term[:_BEGINNING] for term in (*name_terms(offer), *terms(offer.size)))
