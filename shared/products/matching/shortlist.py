"""Which of many candidates are worth a full comparison."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final

from shared.products.matching.offer import Offer
from shared.products.matching.reading import terms_of_texts

# Shops shorten words behind, as the candidates of a model's training have it.
_BEGINNING: Final = 4
_WHOLE: Final = 1 << 20


def shortlist(offer: Offer, others: Iterable[Offer], most: int) -> list[Offer]:
    """The `most` offers that share most with this one, in no particular order.

    A word counts by how rare it is among the candidates: what brought them here, a brand or a
    line, most of them share, and what tells siblings apart few do. It costs as much as a few full
    comparisons, and posting lists bring well over a hundred candidates.
    """
    by_id = {other.id: other for other in others}
    if len(by_id) <= most:
        return list(by_id.values())
    own, *words = _beginnings([offer, *by_id.values()])
    counts = Counter(chain.from_iterable(words))
    rarity = {word: _rarity(counts[word], len(by_id)) for word in own.union(counts)}
    every = [sum(map(rarity.__getitem__, some)) for some in words]
    shared = [sum(map(rarity.__getitem__, own & some)) for some in words]
    total = sum(map(rarity.__getitem__, own))
    likely = {
        pid: common / max(total + each - common, 1)
        for pid, each, common in zip(by_id, every, shared, strict=True)
    }
    best = sorted(likely, key=lambda pid: (-likely[pid], pid))[:most]
    return [by_id[pid] for pid in best]


def _rarity(count: int, offers: int) -> int:
    """In whole numbers: words have no order, and a sum must not hang on one."""
    return round(_WHOLE * math.log((offers + 1) / (count + 0.5)))


def _beginnings(offers: Sequence[Offer]) -> list[set[str]]:
    found: list[set[str]] = [set() for _ in offers]
    texts = [
        (owner, text)
        for owner, offer in zip(found, offers, strict=True)
        for text in (offer.name, offer.brand, offer.model, offer.size)
        if text
    ]
    said = terms_of_texts([text for _, text in texts])
    for (owner, _), terms in zip(texts, said, strict=True):
        owner.update([term[:_BEGINNING] for term in terms])
    return found
