"""Whom a confirmed offer was preferred to.

Who confirms that two offers are one product says more: of the one's other candidates at the other's
retailer hardly any is that product too. It tells what counts, and not how many pairs are the same.
"""

from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Places = NDArray[np.intp]
    Pairs = tuple[Places, Places]

MOST_RIVALS: Final = 4


class Preferred(msgspec.Struct, frozen=True):
    """Of p pairs which of the decided ones, each confirmed, was preferred to which other."""

    decided: "Places"
    left: "Places"
    right: "Places"

    @classmethod
    def of(
        cls,
        decided: "Pairs",
        same: "Floats",
        retailer: "NDArray[np.integer]",
        likely: "tuple[Pairs, Floats]",
    ) -> "Preferred":
        """The likeliest rivals on either side of each confirmed pair, if nobody decided on them.

        `likely` are candidates and their log-odds. An unknown retailer has no rivals.
        """
        count = len(retailer)
        (left, right), log_odds = likely
        known = np.isin(_keys(left, right, count), _keys(*decided, count))
        open_left, open_right = left[~known], right[~known]
        owner, other = np.append(open_left, open_right), np.append(open_right, open_left)
        order = np.lexsort((-np.tile(log_odds[~known], 2), owner))
        owner, other = owner[order], other[order]
        begins = np.searchsorted(owner, np.arange(count + 1))
        found: list[tuple[int, int, int]] = []
        for at in np.flatnonzero(same > 0).tolist():
            one, two = int(decided[0][at]), int(decided[1][at])
            for mine, its in ((one, two), (two, one)):
                if retailer[its] >= 0 and retailer[its] != retailer[mine]:
                    near = other[begins[mine] : begins[mine + 1]]
                    rivals = near[retailer[near] == retailer[its]][:MOST_RIVALS]
                    found += [(at, mine, rival) for rival in rivals.tolist()]
        return cls(*np.array(found, np.intp).reshape(-1, 3).T)


def _keys(left: "Places", right: "Places", count: int) -> "Places":
    return np.minimum(left, right) * count + np.maximum(left, right)
