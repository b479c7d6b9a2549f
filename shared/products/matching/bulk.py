"""A whole catalogue matched in memory: candidates block by block, scores, best pairs, clusters."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from shared.products.matching.candidates import Index, Pairs, best, joined
from shared.products.matching.columns import Prepared
from shared.products.matching.one_retailer import STRONG, may_join

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Score = Callable[[Prepared, NDArray[np.int64], NDArray[np.int64]], NDArray[np.float32]]


class Found(msgspec.Struct, frozen=True):
    """What a catalogue holds twice: accepted pairs with their confidence, and a cluster per offer.

    An offer's cluster is the place of its first offer, so its own place where it has no equal.
    """

    pairs: Pairs
    clusters: "NDArray[np.int64]"


@contextmanager
def many_objects() -> Iterator[None]:
    """While it lasts no garbage is looked for: of millions of small objects none is any."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def scored(index: Index, score: "Score") -> Pairs:
    """The likely pairs of a catalogue, and the twins within its retailers, with their scores."""
    found = joined([index.all_pairs(), twins(index.prepared)])
    return Pairs(found.left, found.right, score(index.prepared, found.left, found.right))


def settle(pairs: Pairs, prepared: Prepared, lowest: float) -> Found:
    """What scored pairs come to together: best of both sides, and no retailer twice."""
    pairs = mutual(pairs.only(pairs.likely >= lowest), prepared)
    return Found(pairs, clusters(pairs, prepared))


def mutual(pairs: Pairs, prepared: Prepared) -> Pairs:
    """Those that are each other's best at the other's retailer; and one retailer's strong ones."""
    shops = prepared.retailer
    own = (shops[pairs.left] == shops[pairs.right]) & (shops[pairs.left] >= 0)
    rivals = best(pairs.only(~own), prepared, 1, both=True)
    strong = pairs.only(own & (pairs.likely >= STRONG))
    return joined([rivals, strong])


def clusters(pairs: Pairs, prepared: Prepared) -> "NDArray[np.int64]":
    """Per offer the first place of its cluster: the surest pairs join first, a retailer once."""
    shops = prepared.retailer.tolist()
    parent = list(range(len(shops)))
    members: dict[int, set[int]] = {}

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    for at in np.argsort(-pairs.likely, kind="stable").tolist():
        left, right = int(pairs.left[at]), int(pairs.right[at])
        first, second = sorted((root(left), root(right)))
        known = members.get(first) or {shops[first]} - {-1}
        others = members.get(second) or {shops[second]} - {-1}
        if first == second or not may_join(known, others, pairs.likely[at]):
            continue
        parent[second] = first
        members[first] = known | others
    return np.array([root(place) for place in range(len(shops))], np.int64)


def twins(prepared: Prepared) -> Pairs:
    """The offers of one retailer that have the same words and the same size as an earlier one."""
    seen: dict[tuple[Any, ...], int] = {}
    columns = (prepared.retailer.tolist(), prepared.sorted_names, prepared.log_size.tolist())
    found = [
        (seen[key], place)
        for place, key in enumerate(_signatures(*columns))
        if key is not None and seen.setdefault(key, place) != place
    ]
    places = np.array(found, np.int64).reshape(-1, 2)
    return Pairs(places[:, 0], places[:, 1], np.ones(len(places), np.float32))


def _signatures(
    shops: list[int], names: list[str], sizes: list[float]
) -> Iterator[tuple[int, str, float | None] | None]:
    for shop, name, size in zip(shops, names, sizes, strict=True):
        known = size if size == size else None  # noqa: PLR0124 - an unknown one is not a number
        yield (shop, name, known) if name and shop >= 0 else None
