"""Weights that people's decisions move, held by what the catalogue taught.

Decisions are few, and chosen: of the pairs that are listed, of the surest, of what somebody wanted
to confirm. Fitted to such pairs alone, weights lose what they knew of all others.
"""

from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from shared.products.matching.logistic import fitted, probability
from shared.products.matching.preferring import MOST_RIVALS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Places = NDArray[np.intp]

# What holds weights that a hundred decisions move, and how it yields to more: docs/adr/0039.
_DECISIONS: Final = 100.0
_STRENGTH_OF_PRIOR: Final = 100.0
_USUAL_MATCHES: Final = 400.0
_YIELDS: Final = -4 / 3
_LEAST_HELD: Final = 0.01
# The share of confirmed ones is believed where there are as many of either kind as this.
_TELLING: Final = 500.0
_LEAST_TOLD: Final = 0.1
# More than so many of one kind for each of the other say no more.
_MOST_OF_ONE_KIND: Final = 10
# The rivals on one side of a confirmed pair count as one decision.
_OF_A_RIVAL: Final = 1 / MOST_RIVALS
# Of likely and of unlikely pairs as many as this are looked at; the former are rarer.
_MOST_USUAL: Final = 1_500
_LIKELY: Final = 0.02


def hold(same: "Floats") -> float:
    """How much what was believed holds against decisions: 1, and less for more than a hundred."""
    heard = min(len(same), _DECISIONS + _MOST_OF_ONE_KIND * _rarer(same))
    return float(np.clip((max(heard, 1) / _DECISIONS) ** _YIELDS, _LEAST_HELD, None))


def _rarer(same: "Floats") -> float:
    return float(min(same.sum(), len(same) - same.sum()))


class Usual(msgspec.Struct, frozen=True):
    """Some of a catalogue's candidate pairs, and how many each of them stands for."""

    places: "Places"
    counts: "Floats"

    @classmethod
    def of(cls, likely: "Floats") -> "Usual":
        """Some of the (n) candidates, likely ones and others, each spread evenly."""
        chosen = []
        for kind in (likely > _LIKELY, likely <= _LIKELY):
            places = np.flatnonzero(kind)
            step = 1 + len(places) // _MOST_USUAL
            chosen.append((places[::step], np.full(len(places[::step]), float(step))))
        return cls(*(np.concatenate(parts) for parts in zip(*chosen, strict=True)))


class Said(msgspec.Struct, frozen=True):
    """What people said of (n, k) examples: `same` is 1 or 0."""

    decided: "NDArray[np.floating]"
    same: "Floats"
    ahead: "NDArray[np.floating]"
    """(p, k) how much more a confirmed pair has of everything than one that it was preferred to."""


class Belief(msgspec.Struct, frozen=True):
    """What is believed of usual pairs before people are heard: weights, and (m) probabilities."""

    weights: "Floats"
    usual: Usual
    likely: "Floats"

    @classmethod
    def of(cls, weights: "Floats", usual: Usual, examples: "NDArray[np.floating]") -> "Belief":
        """What the weights say of (m, k) examples, which the usual pairs are."""
        return cls(weights, usual, probability(examples @ weights))

    def refined(self, said: Said, usual: "NDArray[np.floating]") -> "Floats":
        """(k) the weights that what people said makes of it.

        How many are confirmed says more about how they were chosen than about the catalogue. A
        weight of their own takes that up and is left behind; the rarer kind's number bounds it.
        """
        same = said.same
        held = hold(same)
        strength = _STRENGTH_OF_PRIOR * held
        own = np.sqrt(strength) / max(_rarer(same) / _TELLING, _LEAST_TOLD)
        matches = max(float(self.usual.counts @ self.likely), 1.0)
        rivals = np.ones(len(said.ahead))
        usually = self.usual.counts * (_USUAL_MATCHES * held / matches)
        chosen = np.append(np.full(len(same), own), np.zeros(len(rivals) + len(usual)))
        weights = fitted(
            np.column_stack([np.concatenate([said.decided, said.ahead, usual]), chosen]),
            np.concatenate([same, rivals, self.likely]),
            np.append(self.weights, 0.0),
            strength,
            np.concatenate([np.ones(len(same)), _OF_A_RIVAL * rivals, usually]),
        )
        return weights[:-1]
