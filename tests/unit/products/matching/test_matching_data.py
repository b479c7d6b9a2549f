"""What the matcher reaches on labelled pairs of real offers."""

from collections import defaultdict
from functools import cache
from itertools import chain

import pytest

from shared.products.matching import MAX_KEYS, POSTING_CAP, MatchModel, Offer
from shared.products.matching.keys import blocking_keys
from shared.products.matching.training import Training
from tests.benchmarks.matching_quality import MOST_WRONG, MUSTS, outcome_of
from tests.datasets import require_data
from tools import match_pairs
from tools.match_pairs import Row, Tables, decisions_of


@cache
def _tables(folder: str) -> Tables:
    return match_pairs.read_tables(require_data("matching", folder, "tableA.csv").parent)


def _labelled(folder: str, name: str) -> list[Row]:
    return list(match_pairs.read_rows(require_data("matching", folder, name)))


@cache
def _self_taught(folder: str) -> tuple[Training, MatchModel]:
    training = Training(_tables(folder).offers)
    return training, training.unsupervised()


# The other sets take ten seconds each; `python -m tests.benchmarks quality` has them all.
@pytest.mark.parametrize("folder", ["abt-buy", "lk-grocery"])
def test_a_set_without_labels_is_as_right_as_it_must_be(folder: str) -> None:
    path = require_data("matching", folder, "valid.csv").parent
    found = outcome_of(*_self_taught(folder), _tables(folder), path)
    print(f"{folder}: F1 {found.f1:.1f}, {found.wrong} wrong")  # noqa: T201 - what it is run for
    least, _ = MUSTS[folder]
    assert found.f1 >= (least or 0)
    assert found.wrong <= MOST_WRONG.get(folder, len(found.same))


def test_a_set_with_labels_is_as_right_as_it_must_be() -> None:
    path = require_data("matching", "abt-buy", "train.csv").parent
    training, model = _self_taught("abt-buy")
    tables = _tables("abt-buy")
    taught = training.refined(model, decisions_of(tables, _labelled("abt-buy", "train.csv")))
    found = outcome_of(training, taught, tables, path)
    print(f"abt-buy with labels: F1 {found.f1:.1f}")  # noqa: T201 - what it is run for
    _, least = MUSTS["abt-buy"]
    assert least is not None
    assert found.f1 >= least


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
