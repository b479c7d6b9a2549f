"""Weights that people's decisions move, held by what the catalogue taught.

Decisions are few, and chosen: of the pairs that are listed, of the surest, of what somebody wanted
to confirm. Fitted to such pairs alone, weights lose what they knew of all others.
"""

from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from shared.products.matching.logistic import fitted, probability

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
# Of likely and of unlikely pairs as many as this are looked at; the former are rarer.
_MOST_USUAL: Final = 1_500
_LIKELY: Final = 0.02


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


class Belief(msgspec.Struct, frozen=True):
    """What is believed of usual pairs before people are heard: weights, and (m) probabilities."""

    weights: "Floats"
    usual: Usual
    likely: "Floats"

    @classmethod
    def of(cls, weights: "Floats", usual: Usual, examples: "NDArray[np.floating]") -> "Belief":
        """What the weights say of (m, k) examples, which the usual pairs are."""
        return cls(weights, usual, probability(examples @ weights))

    def refined(
        self, decided: "NDArray[np.floating]", same: "Floats", usual: "NDArray[np.floating]"
    ) -> "Floats":
        """(k) the weights that decisions of (n, k) examples make of it: `same` is 1 or 0.

        How many are confirmed says more about how they were chosen than about the catalogue. A
        weight of their own takes that up and is left behind; the rarer kind's number bounds it.
        """
        rarer = min(same.sum(), len(same) - same.sum())
        heard = min(len(same), _DECISIONS + _MOST_OF_ONE_KIND * rarer)
        held = max((heard / _DECISIONS) ** _YIELDS, _LEAST_HELD)
        strength = _STRENGTH_OF_PRIOR * held
        own = np.sqrt(strength) / max(rarer / _TELLING, _LEAST_TOLD)
        chosen = np.append(np.full(len(same), own), np.zeros(len(usual)))
        matches = max(float(self.usual.counts @ self.likely), 1.0)
        weights = fitted(
            np.column_stack([np.concatenate([decided, usual]), chosen]),
            np.append(same, self.likely),
            np.append(self.weights, 0.0),
            strength,
            np.append(np.ones(len(same)), self.usual.counts * (_USUAL_MATCHES * held / matches)),
        )
        return weights[:-1]
