"""What the other candidates say about a pair: rivals of either offer, and company of both.

Two offers of one retailer are rivals for an offer elsewhere. An offer that is alike to both of a
pair is company; one that is alike to the one and not to the other tells them apart.
"""

from typing import TYPE_CHECKING, Final

import numpy as np

from shared.products.matching.columns import Prepared
from shared.products.matching.logistic import probability

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Places = NDArray[np.intp]

NEIGHBOURS: Final = 16
# Every neighbour of the one is held against every one of the other: most have few.
_WIDTHS: Final = np.array([2, 4, 8, NEIGHBOURS])
_CHUNK: Final = 2_000
_LARGEST: Final = 30.0
_MOST: Final = 4.0
_HALF: Final = 0.5
_WHOLE: Final = 1 << 32

FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "rivals": ("rivals_most", "rivals_least"),
    "company": (
        *("company_best", "company_best>0.5", "company_all"),
        *("apart_most", "apart_least", "apart_all_least", "apart_all_most", "company_share"),
    ),
}
NAMES: Final = tuple(name for names in FIELDS.values() for name in names)


class Surroundings:
    """The candidate pairs `left[i]` and `right[i]` of a catalogue, each pair once."""

    def __init__(self, prepared: Prepared, left: "Places", right: "Places") -> None:
        self._count = len(prepared)
        self._retailer = prepared.retailer.astype(np.int64)
        self._from, self._to = np.concatenate([left, right]), np.concatenate([right, left])
        self._groups = int(self._retailer.max(initial=0)) + 2
        self._rivalry, self._group = np.unique(
            self._rivalry_of(self._from, self._to), return_inverse=True
        )
        competes = self._retailer[self._from] != self._retailer[self._to]
        self._competes = competes & (self._retailer[self._to] >= 0)
        keys = self._pair_of(left, right)
        self._order = np.argsort(keys)
        self._pairs = keys[self._order]
        self._by_owner = np.argsort(self._from * self._count + self._to)
        self._owners = self._from[self._by_owner]
        self._known = np.minimum(np.bincount(self._from, minlength=self._count), NEIGHBOURS)
        self.rate(np.full(len(left), -_LARGEST))
        self._near = np.full((self._count, NEIGHBOURS), -1, np.int32)
        self._sure = np.zeros((self._count, NEIGHBOURS))

    def rate(self, log_odds: "Floats") -> None:
        """How likely each candidate pair is by itself: the strength of rivals."""
        self._odds = np.exp(np.clip(log_odds, -_LARGEST, _LARGEST))
        weights = np.concatenate([self._odds, self._odds]) * self._competes
        self._totals = np.bincount(self._group, weights, len(self._rivalry))

    def gather(self, log_odds: "Floats") -> None:
        """How likely each candidate pair is, all in all: each offer's closest neighbours."""
        likely = np.concatenate([log_odds, log_odds])[self._by_owner]
        # One sort of whole numbers is ten times as fast as one of several columns.
        order = np.argsort(self._owners * _WHOLE + _ranked(-likely), kind="stable")
        rank = np.arange(len(order)) - np.searchsorted(self._owners, self._owners)
        kept = rank < NEIGHBOURS
        owner, rank, order = self._owners[kept], rank[kept], order[kept]
        self._near[owner, rank] = self._to[self._by_owner[order]]
        self._sure[owner, rank] = probability(likely[order])

    def features(self, left: "Places", right: "Places") -> "Floats":
        """(n, len(NAMES)) what surrounds the pairs, which need not be candidates; symmetric."""
        own = self._own_odds(left, right)
        rivals = self._rivals(left, right, own), self._rivals(right, left, own)
        return self._around(left, right, rivals)

    def of_candidates(self, chosen: "Places | slice" = slice(None)) -> "Floats":
        """`features` of candidate pairs themselves, all or some, which need not be looked up."""
        count = len(self._odds)
        rest = self._totals[self._group] - np.concatenate([self._odds, self._odds])
        strength = np.log1p(np.maximum(rest * self._competes, 0))
        rivals = strength[:count][chosen], strength[count:][chosen]
        return self._around(self._from[:count][chosen], self._to[:count][chosen], rivals)

    def _around(self, left: "Places", right: "Places", rivals: "tuple[Floats, Floats]") -> "Floats":
        found = np.empty((len(NAMES), len(left)))
        found[0], found[1] = np.maximum(*rivals), np.minimum(*rivals)
        known = np.maximum(self._known[left], self._known[right])
        widths = np.searchsorted(_WIDTHS, known)
        for at, width in enumerate(_WIDTHS):
            chosen = np.flatnonzero(widths == at)
            for start in range(0, len(chosen), _CHUNK):
                rows = chosen[start : start + _CHUNK]
                found[2:, rows] = self._company(left[rows], right[rows], width)
        return found.T

    def _rivalry_of(self, offers: "Places", others: "Places") -> "Places":
        return offers * self._groups + self._retailer[others]

    def _pair_of(self, left: "Places", right: "Places") -> "Places":
        return np.minimum(left, right) * self._count + np.maximum(left, right)

    def _own_odds(self, left: "Places", right: "Places") -> "Floats":
        keys = self._pair_of(left, right)
        known, at = _found(self._pairs, keys)
        odds: Floats = np.where(known, self._odds[self._order[at]] if len(at) else 0, 0)
        return odds

    def _rivals(self, offers: "Places", others: "Places", own: "Floats") -> "Floats":
        known, at = _found(self._rivalry, self._rivalry_of(offers, others))
        same = self._retailer[offers] == self._retailer[others]
        competes = known & (self._retailer[others] >= 0) & ~same
        rest = np.where(competes, self._totals[at] - own, 0) if len(self._totals) else own * 0
        strength: Floats = np.log1p(np.maximum(rest, 0))
        return strength

    def _company(self, left: "Places", right: "Places", width: int) -> "Floats":
        """What the `width` closest neighbours of either say, which are all that either has."""
        near_a, sure_a = self._closest(left, right, width)
        near_b, sure_b = self._closest(right, left, width)
        met_a, met_b = np.zeros_like(sure_a), np.zeros_like(sure_b)
        # Few neighbours are both sides': of two retailers' offers hardly any.
        common = (near_a[:, None] == near_b) & (near_a >= 0)[:, None]
        at, to, pair = np.unravel_index(np.flatnonzero(common), common.shape)
        met_a[at, pair], met_b[to, pair] = sure_b[to, pair], sure_a[at, pair]
        shared = np.minimum(sure_a, met_a)
        best, total = shared.max(0), shared.sum(0)
        only_a, only_b = sure_a * (1 - met_a), sure_b * (1 - met_b)
        most_a, most_b, all_a, all_b = only_a.max(0), only_b.max(0), only_a.sum(0), only_b.sum(0)
        either = sure_a.sum(0) + sure_b.sum(0) - total
        columns = [
            best,
            np.maximum(best - _HALF, 0),
            np.minimum(total, _MOST),
            np.maximum(most_a, most_b),
            np.minimum(most_a, most_b),
            np.minimum(np.minimum(all_a, all_b), _MOST),
            np.minimum(np.maximum(all_a, all_b), _MOST),
            total / np.maximum(either, 0.3),
        ]
        return np.stack(columns)

    def _closest(
        self, offers: "Places", others: "Places", width: int
    ) -> "tuple[NDArray[np.int32], Floats]":
        """(width, n) the closest neighbours, and how sure each is: not at all the pair's other.

        What is of one offer lies side by side, since it is fetched together.
        """
        near = np.ascontiguousarray(self._near.take(offers, 0)[:, :width].T)
        sure = np.ascontiguousarray(self._sure.take(offers, 0)[:, :width].T)
        return near, sure * (near != others)


def _ranked(values: "Floats") -> "Places":
    """Whole numbers of 32 bits in the order of the values, as exact as single floats are."""
    bits = values.astype(np.float32).view(np.int32)
    return (bits ^ (bits >> 31 & 0x7FFFFFFF)).astype(np.int64)


def _found(known: "Places", wanted: "Places") -> "tuple[NDArray[np.bool_], Places]":
    """Which of `wanted` stand in the sorted `known`, and where."""
    if not len(known):
        return np.zeros(len(wanted), np.bool_), np.zeros(0, np.intp)
    at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return known[at] == wanted, at
