"""Two offers of one retailer are one product on strong evidence alone.

A shop lists a product once, and what it lists beside it, another size or flavour, is the likest of
all. So a pair of one retailer's offers counts from a confidence of `STRONG` on, whatever the
threshold of others is, and nothing brings a second offer of a retailer to what is one product but a
pair that is as sure. An unknown retailer is nobody's: it neither competes nor blocks.
"""

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

if TYPE_CHECKING:
    from numpy.typing import NDArray

Key = TypeVar("Key", bound=Hashable)

STRONG: Final = 90
# What counts as the same product nowhere: weaker evidence is held here.
HELD: Final = 49
_FULL: Final = 100


def least(lowest: int, *, one_retailer: bool) -> int:
    """The confidence from which a pair counts as the same, where that of others is `lowest`."""
    return max(lowest, STRONG) if one_retailer else lowest


def held(log_odds: "NDArray[Any]", one_retailer: "NDArray[Any]") -> "NDArray[Any]":
    """The log-odds of pairs, those of one retailer below `HELD` where they are not `STRONG`."""
    import numpy as np

    strong, most = (np.log(at / (_FULL - at)) for at in (STRONG, HELD))
    weak = one_retailer & (log_odds < strong)
    return np.where(weak, np.minimum(log_odds, most), log_odds)


class Clusters(Generic[Key]):
    """What is one product, grown by one pair after the other, the surest first.

    Two that a person refused come together by no other pair.
    """

    def __init__(self, retailers: dict[Key, str], refused: Iterable[tuple[Key, Key]] = ()) -> None:
        self._parent = {key: key for key in retailers}
        self._retailers = {key: {name} - {""} for key, name in retailers.items()}
        self._members = {key: {key} for key in retailers}
        self._refused: dict[Key, set[Key]] = {key: set() for key in retailers}
        for a, b in refused:
            self._refused[a].add(b)
            self._refused[b].add(a)

    def join(self, a: Key, b: Key, confidence: float) -> None:
        """Makes one product of what the two belong to, if such a pair may."""
        first, second = self.root(a), self.root(b)
        rivals = self._retailers[first].isdisjoint(self._retailers[second])
        refused = not self._refused[first].isdisjoint(self._members[second])
        if (rivals or confidence >= STRONG) and not refused:
            self.merge(a, b)

    def merge(self, a: Key, b: Key) -> None:
        """Makes one product of what the two belong to, whatever else is known: a person did."""
        first, second = self.root(a), self.root(b)
        if first != second:
            self._parent[second] = first
            self._retailers[first] |= self._retailers[second]
            self._members[first] |= self._members[second]
            self._refused[first] |= self._refused[second]

    def together(self, a: Key, b: Key) -> bool:
        """Whether the two are one product."""
        return self.root(a) == self.root(b)

    def root(self, key: Key) -> Key:
        """One of the product's offers, the same for all of them."""
        while self._parent[key] != key:
            self._parent[key] = self._parent[self._parent[key]]
            key = self._parent[key]
        return key
