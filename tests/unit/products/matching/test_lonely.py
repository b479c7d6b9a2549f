"""A product that nothing stands beside: the first one, a unique one, one without keys."""

import numpy as np
import pytest

from shared.products.judging import Candidates
from shared.products.matching import DefaultMatcher, Offer, default_model
from shared.products.matching.bulk import accepted, scoring_of

MILK = Offer("0", "keells", "Anchor Milk Powder 400g", "", "", "", 98000, "LKR")
MATCHER = DefaultMatcher()


@pytest.mark.parametrize("others", [[], [MILK]], ids=["nobody", "itself"])
def test_where_nobody_else_is_there_is_nothing_to_judge(others: list[Offer]) -> None:
    assert MATCHER.judge(MILK, others) == {}
    found = Candidates(MILK, others, MATCHER, 50)
    assert found.confidences == {}
    assert found.judge(MILK, {}, (), {}) == {}


@pytest.mark.parametrize("offers", [[], [MILK]], ids=["none", "one"])
def test_a_catalogue_of_hardly_anything_holds_no_pairs(offers: list[Offer]) -> None:
    scoring = scoring_of(offers, default_model())
    assert not len(accepted(scoring, 0))
    nothing = np.zeros(0, np.intp)
    assert not len(scoring.examples_of(nothing))
    assert not len(scoring.examples(nothing, nothing))


def test_without_pairs_or_rows_nothing_is_compared() -> None:
    assert MATCHER.compare_each([]) == []
    MATCHER.shelf([])
    assert not len(MATCHER.shelf([MILK]).surest(0)[0])
