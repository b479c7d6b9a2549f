"""What the matcher reaches on labelled pairs of real offers."""

from collections import defaultdict
from functools import cache
from itertools import chain

import numpy as np
import pytest

from shared.products.matching import MAX_KEYS, POSTING_CAP, Offer
from shared.products.matching.keys import blocking_keys
from shared.products.matching.training import Training
from tests.datasets import require_data
from tools import match_pairs
from tools.match_pairs import Row, Tables


@cache
def _tables(folder: str) -> Tables:
    return match_pairs.read_tables(require_data("matching", folder, "tableA.csv").parent)


def _labelled(folder: str, name: str) -> list[Row]:
    return list(match_pairs.read_rows(require_data("matching", folder, name)))


def _f1(confidences: "np.typing.NDArray[np.float64]", rows: list[Row]) -> float:
    same = np.array([row["label"] == "1" for row in rows])
    said = confidences >= match_pairs.SAME_FROM
    return float(2 * (said & same).sum() / (said.sum() + same.sum()))


def test_f1_on_a_small_catalogue_without_labels() -> None:
    tables, rows = _tables("abt-buy"), _labelled("abt-buy", "valid.csv")
    training = Training(tables.offers)
    scoring = training.scoring(training.unsupervised())
    alone = _f1(match_pairs.confidences(scoring, *tables.places(rows)), rows)
    assert alone >= 0.85


@pytest.mark.parametrize(("folder", "least"), [("lk-grocery", 0.95), ("il-grocery", 0.88)])
def test_matches_share_a_key_despite_the_cap(folder: str, least: float) -> None:
    tables, rows = _tables(folder), _labelled(folder, "valid.csv")
    postings: defaultdict[str, list[str]] = defaultdict(list)
    for offer in tables.offers:
        for key in blocking_keys(offer):
            postings[key].append(offer.id)
    stored = {key: frozenset(ids[:POSTING_CAP]) for key, ids in postings.items()}
    matches = [
        (tables.offers[a], tables.offers[b])
        for a, b, row in zip(*tables.places(rows), rows, strict=True)
        if row["label"] == "1"
    ]
    recall = sum(_meet(a, b, stored) for a, b in matches) / len(matches)
    print(f"{folder}: recall {recall:.3f}")  # noqa: T201 - the figure is what the test is run for
    assert recall >= least
    assert max(len(blocking_keys(offer)) for offer in chain(*matches)) <= MAX_KEYS


def _meet(a: Offer, b: Offer, stored: dict[str, frozenset[str]]) -> bool:
    return any(x.id in stored[key] for x, y in ((a, b), (b, a)) for key in blocking_keys(y))
