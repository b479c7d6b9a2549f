"""A whole catalogue matched in memory: its candidates, scored among one another."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from shared.products.matching.candidates import Index, Pairs, joined
from shared.products.matching.columns import Prepared, prepare
from shared.products.matching.logistic import probability
from shared.products.matching.model import MatchModel
from shared.products.matching.nearest import near_pairs
from shared.products.matching.offer import Offer
from shared.products.matching.sampling import MOST_AT_ONCE
from shared.products.matching.scoring import Scoring

if TYPE_CHECKING:
    from numpy.typing import NDArray


@contextmanager
def many_objects() -> Iterator[None]:
    """While it lasts no garbage is looked for: of millions of small objects none is any."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def scoring_of(offers: Sequence[Offer], model: MatchModel) -> Scoring:
    """A catalogue under a model.

    Up to MOST_AT_ONCE offers have the candidates that a model is taught on; of more each has the
    few likeliest alone.
    """
    with many_objects():
        prepared = prepare(offers, model.vocabulary)
    if len(prepared) <= MOST_AT_ONCE:
        return Scoring(prepared, near_pairs(prepared), model)
    found = Index(prepared).all_pairs()
    return Scoring(prepared, (found.left, found.right), model)


def accepted(scoring: Scoring, lowest: float) -> Pairs:
    """What counts as one product from a confidence of `lowest` on, which is how likely it is.

    These are candidates, and what one retailer lists twice.
    """
    again = twins(scoring.prepared)
    parts = [
        Pairs(*scoring.candidates, _confidence(scoring.log_odds_of_candidates)),
        Pairs(again.left, again.right, _confidence(scoring.log_odds(again.left, again.right))),
    ]
    pairs = joined(parts)
    return pairs.only(pairs.likely >= lowest)


def _confidence(log_odds: "NDArray[Any]") -> "NDArray[Any]":
    return 100 * probability(log_odds)


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
