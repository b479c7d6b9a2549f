from functools import cache

import numpy as np
import pytest

from shared.products.matching import LearnedMatcher, MatchModel, bulk, sampling, train
from shared.products.matching.bulk import accepted, scoring_of
from shared.products.matching.sampling import sample
from tests.benchmarks.generated import Catalogue, catalogue

SIZE = 1500
LOWEST = 50


@cache
def _taught() -> tuple[Catalogue, MatchModel]:
    made = catalogue(SIZE)
    return made, train(made.offers)


@pytest.fixture(params=["all", "few"])
def catalogue_size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a catalogue at once, and of one that is too large for that."""
    if request.param == "few":
        monkeypatch.setattr(bulk, "MOST_AT_ONCE", 1000)


@pytest.mark.usefixtures("catalogue_size")
def test_a_whole_catalogue_gets_the_verdicts_of_one_product_after_the_other() -> None:
    made, model = _taught()
    scoring = scoring_of(made.offers, model)
    found = accepted(scoring, LOWEST)
    said = {frozenset(pair) for pair in zip(found.left.tolist(), found.right.tolist(), strict=True)}
    partners: dict[int, set[int]] = {}
    for a, b in zip(*(side.tolist() for side in scoring.candidates), strict=True):
        partners.setdefault(a, set()).add(b)
        partners.setdefault(b, set()).add(a)
    matcher = LearnedMatcher(model)
    place = {offer.id: at for at, offer in enumerate(made.offers)}
    asked = same = 0
    for at in range(0, len(made.offers), 150):
        # Judged among its candidates and theirs: what a catalogue knows of the two.
        near = partners.get(at, set())
        far = set().union(*(partners[other] for other in near)) - near - {at} if near else set()
        others = [made.offers[other] for other in sorted(near | far)]
        judged = matcher.judge(made.offers[at], others, LOWEST)
        for other_id, match in judged.items():
            if place[other_id] in near:
                asked += 1
                same += match.same(LOWEST) == (frozenset((at, place[other_id])) in said)
    assert asked > 20
    assert same / asked >= 0.97


@pytest.mark.usefixtures("catalogue_size")
def test_most_matches_are_accepted_and_most_that_are_accepted_match() -> None:
    made, model = _taught()
    found = accepted(scoring_of(made.offers, model), LOWEST)
    said = set(zip(found.left.tolist(), found.right.tolist(), strict=True))
    said = {(min(p), max(p)) for p in said if made.retailers[p[0]] != made.retailers[p[1]]}
    matches = {(min(pair), max(pair)) for pair in made.matches()}
    assert len(said & matches) / len(matches) >= 0.75
    assert len(said & matches) / len(said) >= 0.8


def test_a_large_catalogue_is_taught_on_runs_of_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = _taught()
    assert sample(made.offers, ()) is made.offers
    for name, value in (("MOST_AT_ONCE", 1000), ("_SAMPLE", 300), ("_RUN", 50)):
        monkeypatch.setattr(sampling, name, value)
    some = sample(made.offers, {made.offers[7].id})
    assert 300 <= len(some) <= 301
    assert made.offers[7] in some
    assert [o.id for o in some] == [o.id for o in sample(made.offers, {made.offers[7].id})]
    names = sorted(offer.name for offer in made.offers)
    ranks = np.sort([names.index(offer.name) for offer in some])
    assert np.count_nonzero(np.diff(ranks) <= 2) >= 280
