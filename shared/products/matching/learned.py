"""The matcher that has learned: how sure it is of a pair, and what that rests on."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from shared.products.matching.columns import prepare
from shared.products.matching.explanation import explained
from shared.products.matching.keys import blocking_keys
from shared.products.matching.lookup import Shelf
from shared.products.matching.match import Match
from shared.products.matching.model import MatchModel
from shared.products.matching.offer import Offer
from shared.products.matching.scoring import TOGETHER, Scoring, by_themselves, shares, vector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST_AMONG: Final = 64
"""Up to so many candidates are also compared among themselves: their company tells."""


class LearnedMatcher:
    """A `Matcher` under a model."""

    def __init__(self, model: MatchModel) -> None:
        self._model = model

    def keys(self, offer: Offer) -> tuple[str, ...]:
        """The posting lists that the offer stands in and is looked up by."""
        return blocking_keys(offer)

    def compare(self, a: Offer, b: Offer) -> Match:
        """How surely the two are one product, by themselves; symmetric."""
        return self.compare_each([(a, b)])[0]

    def compare_each(self, pairs: Sequence[tuple[Offer, Offer]], lowest: int = 0) -> list[Match]:
        """`compare` of each pair; below a confidence of `lowest` without evidence."""
        if not pairs:
            return []
        ordered = [sorted(pair, key=_order) for pair in pairs]
        prepared = prepare([offer for pair in ordered for offer in pair], self._model.vocabulary)
        places = np.arange(len(pairs)) * 2
        examples = by_themselves(prepared, places, places + 1)
        made_of = shares(examples, vector(self._model.alone, TOGETHER))
        return [
            explained(example, share, first, second, lowest)
            for example, share, (first, second) in zip(examples, made_of, ordered, strict=True)
        ]

    def judge(self, offer: Offer, others: Sequence[Offer], lowest: int = 0) -> dict[str, Match]:
        """How surely the offer is each of `others`, by id, where those of one retailer compete.

        Below a confidence of `lowest` a match comes without evidence, which takes time to write.
        """
        by_id = {other.id: other for other in others if other.id != offer.id}
        if not by_id:
            return {}
        ordered = sorted([offer, *by_id.values()], key=_order)
        own = next(at for at, each in enumerate(ordered) if each is offer)
        rest = [at for at in range(len(ordered)) if at != own]
        examples = self._examples(ordered, own)
        made_of = shares(examples, self._model.scale * vector(self._model.together, TOGETHER))
        return {
            ordered[at].id: explained(
                example, share, ordered[min(own, at)], ordered[max(own, at)], lowest
            )
            for example, share, at in zip(examples, made_of, rest, strict=True)
        }

    def shelf(self, offers: Sequence[Offer]) -> Shelf:
        """The offers in memory, each to be looked up among those before it."""
        return Shelf(offers, self._model)

    def _examples(self, offers: Sequence[Offer], own: int) -> "Floats":
        """What the log-odds are made of that the offer at `own` is each of the others, in order."""
        prepared = prepare(offers, self._model.vocabulary)
        left, right = np.triu_indices(len(offers), 1)
        mine = (left == own) | (right == own)
        if len(offers) > MOST_AMONG:
            left, right, mine = left[mine], right[mine], mine[mine]
        return Scoring(prepared, (left, right), self._model).examples_of(np.flatnonzero(mine))


def _order(offer: Offer) -> tuple[str | int, ...]:
    """One order for the same offers, so that a sum is rounded alike from both sides."""
    texts = offer.id, offer.retailer, offer.name, offer.brand, offer.size, offer.category
    return (*texts, offer.price_minor, offer.currency, offer.model, offer.description)
