"""How sure a model is of many pairs at once, among the candidates of their catalogue."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from shared.products.matching import surroundings
from shared.products.matching.columns import Prepared
from shared.products.matching.features import CHUNK, EXPANDED, expanded, features
from shared.products.matching.model import BIAS, MatchModel, Weights
from shared.products.matching.one_retailer import held
from shared.products.matching.surroundings import Surroundings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Places = NDArray[np.intp]
    Bools = NDArray[np.bool_]

ALONE: tuple[str, ...] = (*EXPANDED, BIAS)
TOGETHER: tuple[str, ...] = (*EXPANDED, *surroundings.NAMES, BIAS)
ONE_RETAILER: Final = TOGETHER.index("retailer_same")


def vector(weights: Weights, names: Sequence[str]) -> "Floats":
    """The weights in the order of `names`."""
    return np.array([weights.get(name, 0.0) for name in names])


def named(weights: "Floats", names: Sequence[str]) -> Weights:
    """The weights by name, without those that are nothing."""
    pairs = zip(names, weights.round(4).tolist(), strict=True)
    return {name: weight for name, weight in pairs if weight}


def by_themselves(prepared: Prepared, left: "Places", right: "Places") -> "Floats":
    """(n, len(TOGETHER)) what the log-odds of pairs with nothing around them are made of."""
    measured = expanded(features(prepared, left, right))
    nothing = np.zeros((len(left), len(surroundings.NAMES)))
    return np.concatenate([measured, nothing, np.ones((len(left), 1))], axis=1)


def shares(examples: "Floats", weights: "Floats") -> "Floats":
    """(n, len(TOGETHER)) what the log-odds add up from.

    What weak evidence within one retailer is held back by is the retailer's share.
    """
    found = examples * weights
    own = examples[:, ONE_RETAILER] > 0
    if own.any():
        total = found.sum(1)
        found[:, ONE_RETAILER] += held(total, own) - total
    return found


class Scoring:
    """A catalogue under a model; the pairs that are asked for need not be candidates."""

    def __init__(
        self, prepared: Prepared, candidates: "tuple[Places, Places]", model: MatchModel
    ) -> None:
        self.prepared, self.candidates, self.model = prepared, candidates, model
        self._fields = vector(model.together, EXPANDED)
        self._around = vector(model.together, (*surroundings.NAMES, BIAS))
        self.surroundings = Surroundings(prepared, *candidates)
        alone, self._fields_of_candidates = self._measured()
        self.surroundings.rate(alone)
        self.surroundings.gather(alone)
        self.surroundings.gather(self._of_candidates())

    @cached_property
    def log_odds_of_candidates(self) -> "Floats":
        """`log_odds` of the candidate pairs."""
        log_odds = self.model.scale * self._of_candidates()
        return held(log_odds, self._one_retailer(*self.candidates))

    def log_odds(self, left: "Places", right: "Places") -> "Floats":
        """(n) the log-odds that `left[i]` and `right[i]` are one product."""
        measured = expanded(features(self.prepared, left, right))
        around = self._weighed(self.surroundings.features(left, right))
        log_odds: Floats = measured @ self._fields + around
        return held(self.model.scale * log_odds, self._one_retailer(left, right))

    def examples(self, left: "Places", right: "Places") -> "Floats":
        """(n, len(TOGETHER)) what the log-odds are, but for the scale, the weighted sum of."""
        measured = expanded(features(self.prepared, left, right))
        around = self.surroundings.features(left, right)
        return np.concatenate([measured, around, np.ones((len(left), 1))], axis=1)

    def examples_of(self, chosen: "Places") -> "Floats":
        """`examples` of some of the candidates; of few candidates nothing is measured anew."""
        if len(self.candidates[0]) > CHUNK:
            return self.examples(self.candidates[0][chosen], self.candidates[1][chosen])
        measured = self._last[chosen]
        around = self.surroundings.of_candidates(chosen)
        return np.concatenate([measured, around, np.ones((len(chosen), 1))], axis=1)

    def _of_candidates(self) -> "Floats":
        return self._fields_of_candidates + self._weighed(self.surroundings.of_candidates())

    def _one_retailer(self, left: "Places", right: "Places") -> "Bools":
        retailer = self.prepared.retailer
        same: Bools = (retailer[left] == retailer[right]) & (retailer[left] >= 0)
        return same

    def _weighed(self, around: "Floats") -> "Floats":
        log_odds: Floats = around @ self._around[:-1] + self._around[-1]
        return log_odds

    def _measured(self) -> "tuple[Floats, Floats]":
        """The candidates' log-odds alone, and the part of all log-odds that their fields make."""
        alone = vector(self.model.alone, ALONE)
        parts = [
            (measured @ alone[:-1] + alone[-1], measured @ self._fields)
            for measured in self._chunks()
        ]
        if not parts:
            return np.zeros(0), np.zeros(0)
        return np.concatenate([a for a, _ in parts]), np.concatenate([b for _, b in parts])

    def _chunks(self) -> "Iterator[NDArray[np.float32]]":
        left, right = self.candidates
        self._last = np.zeros((0, len(EXPANDED)), np.float32)
        for at in range(0, len(left), CHUNK):
            chunk = features(self.prepared, left[at : at + CHUNK], right[at : at + CHUNK])
            # Of few candidates all, which are asked for again.
            self._last = expanded(chunk)
            yield self._last
