"""Which offers of different retailers are one product."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from shared.products.matching.keys import MAX_KEYS, POSTING_CAP, blocking_keys
from shared.products.matching.match import Evidence, Match, Verdict
from shared.products.matching.offer import Offer
from shared.products.matching.shortlist import shortlist

if TYPE_CHECKING:
    from shared.products.matching.learned import LearnedMatcher
    from shared.products.matching.lookup import Shelf
    from shared.products.matching.model import MatchModel, decode, default_model, encode
    from shared.products.matching.training import train

__all__ = [
    "MAX_KEYS",
    "POSTING_CAP",
    "DefaultMatcher",
    "Evidence",
    "LearnedMatcher",
    "Match",
    "MatchModel",
    "Matcher",
    "Offer",
    "Verdict",
    "decode",
    "default_model",
    "encode",
    "shortlist",
    "train",
]

# What only folds names imports this package as well, and must load neither NumPy nor RapidFuzz.
_WHERE = {
    "LearnedMatcher": "learned",
    "MatchModel": "model",
    "decode": "model",
    "default_model": "model",
    "encode": "model",
    "train": "training",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)


class Matcher(Protocol):
    """Where to look for offers of the same product, and how sure to be of one."""

    def keys(self, offer: Offer) -> tuple[str, ...]:
        """The posting lists that the offer stands in and is looked up by."""
        ...

    def compare(self, a: Offer, b: Offer) -> Match:
        """How surely the two are one product, by themselves; symmetric."""
        ...

    def compare_each(self, pairs: Sequence[tuple[Offer, Offer]], lowest: int = 0) -> list[Match]:
        """`compare` of each pair; below a confidence of `lowest` without evidence."""
        ...

    def judge(self, offer: Offer, others: Sequence[Offer], lowest: int = 0) -> dict[str, Match]:
        """How surely the offer is each of `others`, by id, where those of one retailer compete.

        Below a confidence of `lowest` a match comes without evidence.
        """
        ...

    def shelf(self, offers: Sequence[Offer]) -> "Shelf":
        """The offers in memory, each to be looked up among those before it."""
        ...


class DefaultMatcher:
    """The `Matcher` of the model that ships with the package; loaded when it is first asked."""

    def keys(self, offer: Offer) -> tuple[str, ...]:
        """The posting lists that the offer stands in and is looked up by."""
        return blocking_keys(offer)

    def compare(self, a: Offer, b: Offer) -> Match:
        """How surely the two are one product, by themselves; symmetric."""
        return self._loaded().compare(a, b)

    def compare_each(self, pairs: Sequence[tuple[Offer, Offer]], lowest: int = 0) -> list[Match]:
        """`compare` of each pair; below a confidence of `lowest` without evidence."""
        return self._loaded().compare_each(pairs, lowest)

    def judge(self, offer: Offer, others: Sequence[Offer], lowest: int = 0) -> dict[str, Match]:
        """How surely the offer is each of `others`, by id, where those of one retailer compete.

        Below a confidence of `lowest` a match comes without evidence.
        """
        return self._loaded().judge(offer, others, lowest)

    def shelf(self, offers: Sequence[Offer]) -> "Shelf":
        """The offers in memory, each to be looked up among those before it."""
        return self._loaded().shelf(offers)

    def _loaded(self) -> "LearnedMatcher":
        from shared.products.matching.learned import LearnedMatcher
        from shared.products.matching.model import default_model

        return LearnedMatcher(default_model())
