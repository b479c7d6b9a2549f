"""Measurements of the matcher in a process of their own: `python -m … PART SIZE [RETAILERS]`.

Prints one JSON object. Seconds are CPU seconds of this process, from the offers in memory on; the
model is there already, as it is in a function, where a schedule trains it.
"""

import csv
import json
import math
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from rapidfuzz import fuzz, process

from shared.products.matching import LearnedMatcher, Offer, train
from shared.products.matching.beside import beside
from shared.products.matching.bulk import many_objects, mutual, scored, settle
from shared.products.matching.candidates import Index, Pairs
from shared.products.matching.columns import Prepared, prepare
from shared.products.matching.features import CHUNK, expanded, features
from shared.products.matching.logistic import probability
from shared.products.matching.lookup import nearest
from shared.products.matching.model import MatchModel
from shared.products.matching.prior import prior_model
from shared.products.matching.reading import all_name_terms
from shared.products.matching.scoring import ALONE, Scoring, vector
from shared.products.matching.vocabulary import Vocabulary, counted
from shared.products.matching.words import distinct_words, stated_quantity
from tests.benchmarks.generated import Catalogue, catalogue
from tests.benchmarks.matching_lists import follow
from tests.memory import peak_mb

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOWEST: Final = 50
COLUMNS: Final = (
    *("offer", "retailer", "name", "rare_1", "rare_2", "rare_3"),
    *("size", "log_price", "price_band"),
)
_PAIRS: Final = 100_000
_RUN: Final = 500
_ROUNDS: Final = 15
_ASKED_A_ROUND: Final = 66
_COMPARED: Final = 16
_BEST: Final = 10
_THROUGH_LISTS: Final = 300


class Score:
    """The confidence of pairs by themselves; who competes is settled afterwards."""

    def __init__(self, model: MatchModel) -> None:
        weights = vector(model.alone, ALONE).astype(np.float32)
        self.weights, self.bias = weights[:-1], weights[-1]

    def __call__(
        self, prepared: Prepared, left: "NDArray[np.int64]", right: "NDArray[np.int64]"
    ) -> "NDArray[np.float32]":
        """From 0 to 100, chunk by chunk."""
        parts = [np.zeros(0, np.float32)]
        for at in range(0, len(left), CHUNK):
            measured = expanded(features(prepared, left[at : at + CHUNK], right[at : at + CHUNK]))
            sure = 100 * probability(measured @ self.weights + self.bias)
            parts.append(sure.astype(np.float32))
        return np.concatenate(parts)


def among(
    model: MatchModel,
) -> "Callable[[Prepared, NDArray[np.int64], NDArray[np.int64]], NDArray[np.float32]]":
    """The confidence of pairs among all the others, as the product has it."""

    def score(
        prepared: Prepared, left: "NDArray[np.int64]", right: "NDArray[np.int64]"
    ) -> "NDArray[np.float32]":
        log_odds = Scoring(prepared, (left, right), model).log_odds_of_candidates
        return (100 * probability(log_odds)).astype(np.float32)

    return score


def deduplicate(made: Catalogue, trained_on: str) -> dict[str, float]:
    """A whole catalogue: seconds, and which of the matches it holds were candidates and found.

    The model is trained on a part of so many offers, as the product does; on none it is the prior,
    and pairs are judged by themselves.
    """
    count = int(trained_on)
    model = train(_neighbours(made.offers, count)) if count else _model(made)
    score = among(model) if count else Score(model)
    began = time.process_time()
    with many_objects():
        prepared = prepare(made.offers, model.vocabulary)
    pairs = scored(Index(prepared), score)
    found = settle(pairs, prepared, LOWEST)
    seconds = time.process_time() - began
    matches = _set(made.matches())
    accepted = _set(zip(found.pairs.left.tolist(), found.pairs.right.tolist(), strict=True))
    rivals = {(a, b) for a, b in accepted if made.retailers[a] != made.retailers[b]}
    candidates = _set(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))
    return {
        "seconds": seconds,
        "candidate_recall": len(candidates & matches) / len(matches),
        "recall": len(rivals & matches) / len(matches),
        "precision": len(rivals & matches) / len(rivals),
    }


def nearest_of(made: Catalogue) -> dict[str, float]:
    """One new offer after the other: seconds each, and how often its match is among ten.

    Both sides take turns: in each round one is asked of the peer, and dozens of the matcher.
    """
    model = _model(made)
    score = Score(model)
    asked = list(made.matches())[: _ROUNDS * _ASKED_A_ROUND]
    new = {b for _, b in asked}
    old = [place for place in range(len(made.offers)) if place not in new]
    offers = [made.offers[place] for place in old]
    index = Index(prepare(offers, model.vocabulary))
    names = [offer.name for offer in offers]
    hits, ours, theirs = 0, [], []
    for start in range(0, len(asked), _ASKED_A_ROUND):
        began = time.process_time()
        process.extract(made.offers[asked[start][1]].name, names, scorer=fuzz.WRatio, limit=_BEST)
        theirs.append(time.process_time() - began)
        spent = []
        for a, b in asked[start : start + _ASKED_A_ROUND]:
            began = time.process_time()
            places = nearest(index, made.offers[b], _COMPARED)
            few = beside(index, offers, made.offers[b], places, model.vocabulary)
            sure = score(few, np.zeros(len(places), np.int64), np.arange(1, len(few)))
            ten = places[np.argsort(-sure, kind="stable")[:_BEST]]
            spent.append(time.process_time() - began)
            hits += a in {old[at] for at in ten}
        ours.append(statistics.median(spent))
    return {
        "seconds": statistics.median(ours),
        "peer_seconds": statistics.median(theirs),
        # A round is over within a second, and what else the machine does weighs on both alike.
        "ratio": statistics.median(b / a for a, b in zip(ours, theirs, strict=True)),
        "recall_at_10": hits / len(asked),
    }


def pairs(made: Catalogue) -> dict[str, float]:
    """Random pairs scored in full: pairs in a second."""
    model = _model(made)
    prepared = prepare(made.offers, model.vocabulary)
    left, right = np.random.default_rng(1).integers(len(prepared), size=(2, _PAIRS))
    score = Score(model)
    spent = []
    for _ in range(3):
        began = time.process_time()
        score(prepared, left, right)
        spent.append(time.process_time() - began)
    return {"pairs_a_second": _PAIRS / min(spent)}


def through_lists(made: Catalogue) -> dict[str, float]:
    """Full posting lists as the product keeps them: what matching a product reads and finds."""
    asked = list(made.matches())[:: max(1, len(made.offers) // 2000)][:_THROUGH_LISTS]
    return follow(made.offers, asked, LearnedMatcher(_model(made)), LOWEST)._asdict()


def write_table(made: Catalogue, path: str) -> dict[str, float]:
    """The offers as the peers get them: words, the rarest of them, the size in one unit."""
    began = time.process_time()
    named = [distinct_words(offer) for offer in made.offers]
    counts = Counter(word for row in named for word in row)
    sizes = [str(stated_quantity(offer) or "") for offer in made.offers]
    seconds = time.process_time() - began
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        each = zip(made.offers, named, sizes, strict=True)
        for place, (offer, words, size) in enumerate(each):
            rare = (sorted(words, key=counts.__getitem__) + [""] * 3)[:3]
            price = math.log(offer.price_minor)
            fields = (place, offer.retailer, " ".join(words), *rare, size, price, round(price * 4))
            rows.writerow(fields)
    return {"seconds": seconds}


def read_pairs(made: Catalogue, path: str) -> dict[str, float]:
    """What the peer found: pairs by place with their log-odds; each offer's best of both."""
    matches = _set(made.matches())
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = [(int(a), int(b), float(p)) for a, b, p in list(csv.reader(file))[1:]]
    left, right = (np.array([row[side] for row in rows], np.int64) for side in (0, 1))
    sure = np.array([row[2] for row in rows], np.float32)
    prepared = prepare(made.offers, Vocabulary())
    best = mutual(Pairs(left, right, sure), prepared)
    best = best.only(best.likely >= 0)
    found = _set(zip(best.left.tolist(), best.right.tolist(), strict=True))
    candidates = _set((a, b) for a, b, _ in rows)
    return {
        "candidate_recall": len(candidates & matches) / len(matches),
        "recall": len(found & matches) / len(matches),
        "precision": len(found & matches) / len(found),
    }


def _neighbours(offers: list[Offer], count: int) -> list[Offer]:
    """Runs of neighbours in the order of names: single offers hold hardly any match."""
    ordered = sorted(offers, key=lambda offer: (offer.name, offer.id))
    runs = range(0, len(ordered), _RUN)
    chosen = np.random.default_rng(4).permutation(len(runs))[: count // _RUN].tolist()
    return [offer for at in sorted(chosen) for offer in ordered[runs[at] : runs[at] + _RUN]]


def _model(made: Catalogue) -> MatchModel:
    return prior_model(counted(all_name_terms(made.offers)))


def _set(pairs: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    return {(min(pair), max(pair)) for pair in pairs}


def main(arguments: list[str]) -> None:
    """Measure one part and print what it told."""
    part, size, *rest = arguments
    told = PARTS[part](catalogue(int(size)), *rest)
    megabytes = peak_mb()
    sys.stdout.write(json.dumps({**told, "megabytes": megabytes}))


PARTS: Final[dict[str, Callable[..., dict[str, float]]]] = {
    "deduplicate": deduplicate,
    "nearest": nearest_of,
    "pairs": pairs,
    "lists": through_lists,
    "write": write_table,
    "read": read_pairs,
}

if __name__ == "__main__":
    main(sys.argv[1:])
