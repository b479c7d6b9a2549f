"""Measurements of the matcher in a process of their own: `python -m … PART SIZE [RETAILERS]`.

Prints one JSON object. Seconds are CPU seconds of this process, from the offers in memory on. All
models are trained on the catalogue that they are asked about.
"""

import csv
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import numpy as np
from msgspec.structs import replace
from rapidfuzz import fuzz, process

from shared.products.matching import LearnedMatcher, Offer, train
from shared.products.matching.bulk import accepted, scoring_of
from shared.products.matching.candidates import Pairs, best
from shared.products.matching.columns import prepare
from shared.products.matching.prior import ALONE as PRIOR
from shared.products.matching.vocabulary import Vocabulary
from tests.benchmarks.generated import Catalogue, catalogue
from tests.benchmarks.matching_lists import capped, follow, looked_up
from tests.memory import peak_mb

LOWEST: Final = 50
COLUMNS: Final = ("offer", "retailer", "name", "price_minor")
_PAIRS: Final = 100_000
_ROUNDS: Final = 15
_ASKED_A_ROUND: Final = 66
_BEST: Final = 10
_THROUGH_LISTS: Final = 300


def deduplicate(made: Catalogue) -> dict[str, float]:
    """A whole catalogue as `tools.match_pairs --all` matches one: taught on itself, then scored.

    Seconds, and which of the matches that it holds were candidates and found.
    """
    began, started = time.process_time(), time.perf_counter()
    model = train(made.offers)
    taught = time.process_time() - began
    scoring = scoring_of(made.offers, model)
    found = accepted(scoring, LOWEST)
    seconds, wall = time.process_time() - began, time.perf_counter() - started
    matches = _set(made.matches())
    said = _set(zip(found.left.tolist(), found.right.tolist(), strict=True))
    rivals = {(a, b) for a, b in said if made.retailers[a] != made.retailers[b]}
    candidates = _set(zip(*(side.tolist() for side in scoring.candidates), strict=True))
    return {
        "seconds": seconds,
        "wall_seconds": wall,
        "taught_seconds": taught,
        "candidate_recall": len(candidates & matches) / len(matches),
        "recall": len(rivals & matches) / len(matches),
        "precision": len(rivals & matches) / len(rivals),
    }


def row_of_file(made: Catalogue) -> dict[str, float]:
    """Rows behind all that a shop lists in a file, each against those before it, as in a preview.

    They are the second shop's wordings of what the first one lists; the model is that of both.
    Seconds each, with its share of reading the file, and how often its match is among ten. Both
    sides take turns: in each round one is asked of the peer, and dozens of the matcher.
    """
    shops = made.retailers.tolist()
    between = [(a, b) for a, b in made.matches() if shops[a] == shops[0] != shops[b]]
    asked = between[:: len(between) // (_ROUNDS * _ASKED_A_ROUND)][: _ROUNDS * _ASKED_A_ROUND]
    offers, place = _one_shop(made, [b for _, b in asked])
    # Of one shop's rows nothing is learned: what is paired is of several retailers.
    model = train(made.offers)
    assert model.alone != PRIOR
    began = time.process_time()
    shelf = LearnedMatcher(model).shelf(offers)
    share = (time.process_time() - began) / len(offers)
    names = [offer.name for offer in offers]
    hits, ours, theirs = 0, [], []
    for start in range(0, len(asked), _ASKED_A_ROUND):
        began = time.process_time()
        process.extract(made.offers[asked[start][1]].name, names, scorer=fuzz.WRatio, limit=_BEST)
        theirs.append(time.process_time() - began)
        spent = []
        for a, b in asked[start : start + _ASKED_A_ROUND]:
            began = time.process_time()
            likely, _ = shelf.surest(place[b])
            spent.append(time.process_time() - began)
            hits += place[a] in likely[:_BEST].tolist()
        ours.append(statistics.median(spent) + share)
    return {
        "seconds": statistics.median(ours),
        "peer_seconds": statistics.median(theirs),
        # A round is over within a second, and what else the machine does weighs on both alike.
        "ratio": statistics.median(b / a for a, b in zip(ours, theirs, strict=True)),
        "recall_at_10": hits / len(asked),
    }


def one_through_lists(made: Catalogue) -> dict[str, float]:
    """One product through posting lists in memory, as its task matches it: judged among 30.

    Beside the same peer as in `row_of_file`; what Firestore takes is not in it.
    """
    every = list(made.matches())
    asked = every[:: max(1, len(every) // _THROUGH_LISTS)][:_THROUGH_LISTS]
    new = {b for _, b in asked}
    offers = [offer for at, offer in enumerate(made.offers) if at not in new]
    matcher = LearnedMatcher(train(offers))
    lists = capped(offers, [matcher.keys(offer) for offer in offers])
    names = [offer.name for offer in offers]
    hits, ours, theirs = 0, [], []
    for at, (a, b) in enumerate(asked):
        offer = made.offers[b]
        if at % (_THROUGH_LISTS // _ROUNDS) == 0:
            began = time.process_time()
            process.extract(offer.name, names, scorer=fuzz.WRatio, limit=_BEST)
            theirs.append(time.process_time() - began)
        began = time.process_time()
        judged = matcher.judge(offer, looked_up(offer, matcher, lists), LOWEST)
        ten = sorted(judged, key=lambda other: -judged[other].confidence)[:_BEST]
        ours.append(time.process_time() - began)
        hits += made.offers[a].id in ten
    seconds, peer = statistics.median(ours), statistics.median(theirs)
    found = {"seconds": seconds, "peer_seconds": peer, "ratio": peer / seconds}
    return {**found, "recall_at_10": hits / len(asked)}


def pairs(made: Catalogue) -> dict[str, float]:
    """Candidates of a trained catalogue, asked of it again among their rivals: pairs in a second.

    Pairs drawn from all would have hardly anything in common, and so little to compare.
    """
    scoring = scoring_of(made.offers, train(made.offers))
    left, right = scoring.candidates
    drawn = np.sort(np.random.default_rng(1).permutation(len(left))[:_PAIRS])
    spent = []
    for _ in range(3):
        began = time.process_time()
        scoring.log_odds(left[drawn], right[drawn])
        spent.append(time.process_time() - began)
    return {"pairs_a_second": len(drawn) / min(spent)}


def through_lists(made: Catalogue) -> dict[str, float]:
    """Full posting lists as the product keeps them: what matching a product reads and finds."""
    asked = list(made.matches())[:: max(1, len(made.offers) // 2000)][:_THROUGH_LISTS]
    return follow(made.offers, asked, LearnedMatcher(train(made.offers)), LOWEST)._asdict()


def write_table(made: Catalogue, path: str) -> dict[str, float]:
    """The offers as the peers get them, which is as they are written."""
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        rows.writerows(
            (place, offer.retailer, offer.name, offer.price_minor)
            for place, offer in enumerate(made.offers)
        )
    return {"offers": len(made.offers)}


def read_pairs(made: Catalogue, path: str) -> dict[str, float]:
    """What the peer found: pairs by place with their log-odds; each offer's best of both."""
    matches = _set(made.matches())
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = [(int(a), int(b), float(p)) for a, b, p in list(csv.reader(file))[1:]]
    left, right = (np.array([row[side] for row in rows], np.int64) for side in (0, 1))
    sure = np.array([row[2] for row in rows], np.float32)
    prepared = prepare(made.offers, Vocabulary())
    both = best(Pairs(left, right, sure), prepared, 1, both=True)
    both = both.only(both.likely >= 0)
    found = _set(zip(both.left.tolist(), both.right.tolist(), strict=True))
    candidates = _set((a, b) for a, b, _ in rows)
    return {
        "candidate_recall": len(candidates & matches) / len(matches),
        "recall": len(found & matches) / len(matches),
        "precision": len(found & matches) / len(found),
    }


def _one_shop(made: Catalogue, last: list[int]) -> tuple[list[Offer], dict[int, int]]:
    """All that the first shop lists, those of `last` behind them, and where each stands."""
    order = [*np.flatnonzero(made.retailers == made.retailers[0]).tolist(), *last]
    shop = made.offers[0].retailer
    rows = [replace(made.offers[at], retailer=shop) for at in order]
    return rows, {at: place for place, at in enumerate(order)}


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
    "row": row_of_file,
    "pairs": pairs,
    "one_through_lists": one_through_lists,
    "lists": through_lists,
    "write": write_table,
    "read": read_pairs,
}

if __name__ == "__main__":
    main(sys.argv[1:])
