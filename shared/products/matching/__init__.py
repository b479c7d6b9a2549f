"""Which offers of different retailers are one product."""

from collections.abc import Sequence
from typing import Protocol

from shared.products.matching.keys import MAX_KEYS, POSTING_CAP, blocking_keys
from shared.products.matching.match import Evidence, Match, Verdict
from shared.products.matching.offer import Offer
from shared.products.matching.shortlist import shortlist

__all__ = [
    "MAX_KEYS",
    "POSTING_CAP",
    "Evidence",
    "Match",
    "Matcher",
    "Offer",
    "SimpleMatcher",
    "Verdict",
    "shortlist",
]


class Matcher(Protocol):
    """Where to look for offers of the same product, and how sure to be of one."""

    def keys(self, offer: Offer) -> tuple[str, ...]:
        """The posting lists that the offer stands in and is looked up by."""
        ...

    def compare(self, a: Offer, b: Offer) -> Match:
        """How surely the two are one product, by themselves; symmetric."""
        ...

    def judge(self, offer: Offer, others: Sequence[Offer]) -> dict[str, Match]:
        """How surely the offer is each of `others`, by id, where those of one retailer compete."""
        ...


class SimpleMatcher:
    """A `Matcher` of fixed rules: names, sizes, brands, prices and categories, added up."""

    def keys(self, offer: Offer) -> tuple[str, ...]:
        """The posting lists that the offer stands in and is looked up by."""
        return blocking_keys(offer)

    def compare(self, a: Offer, b: Offer) -> Match:
        """How surely the two are one product; symmetric."""
        # What only folds names imports this package as well, and must not load RapidFuzz for it.
        from shared.products.matching.score import compare

        return compare(a, b)

    def judge(self, offer: Offer, others: Sequence[Offer]) -> dict[str, Match]:
        """How surely the offer is each of `others`, by id; here they do not compete."""
        return {other.id: self.compare(offer, other) for other in others}
