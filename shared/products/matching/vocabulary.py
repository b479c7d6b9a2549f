"""What a catalogue's terms tell: how rare each is, and how those of one product treat it."""

import math
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Final

import msgspec

MOST_TERMS_KEPT: Final = 50_000

Habit = tuple[float, float]


class Vocabulary(msgspec.Struct, frozen=True):
    """In how many of `offers` offers each term stands; what is not listed stands in one."""

    offers: Annotated[int, msgspec.Meta(ge=0)] = 0
    counts: dict[str, int] = {}
    habits: dict[str, Habit] = {}
    """Log-odds of one product from a term's having a counterpart, and from its having none."""
    usual: tuple[Habit, Habit, Habit] = ((0.0, 0.0), (0.0, 0.0), (0.0, 0.0))
    """The same for the terms without a habit of their own, by kind."""

    def rarity(self, term: str) -> float:
        """From about 0 for a term that stands everywhere to about 1 for one that stands nowhere."""
        count = self.counts.get(term, 1)
        return math.log((self.offers + 1) / (count + 0.5)) / math.log((self.offers + 1) / 0.5)


def counted(rows: Iterable[Iterable[str]], most: int = MOST_TERMS_KEPT) -> Vocabulary:
    """The vocabulary of the `most` commonest terms of `rows`, each an offer's terms."""
    counts: Counter[str] = Counter()
    offers = 0
    for row in rows:
        counts.update(set(row))
        offers += 1
    # Ties in the order of the alphabet: a vocabulary does not depend on the order of the offers.
    repeated = sorted((-count, term) for term, count in counts.items() if count > 1)
    return Vocabulary(offers, {term: -count for count, term in repeated[:most]})
