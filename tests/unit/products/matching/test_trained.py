"""What holds of the model that ships holds of models that a catalogue and people have trained."""

from functools import cache
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.products.matching import LearnedMatcher, MatchModel, Offer
from shared.products.matching import scoring as scoring_module
from shared.products.matching.columns import prepare
from shared.products.matching.logistic import probability
from shared.products.matching.scoring import Scoring
from shared.products.matching.training import Training
from tests.benchmarks.generated import HARD_NOISE, catalogue
from tests.unit.products.matching.test_matching import OFFERS

GOODS = catalogue(300, noise=HARD_NOISE)
KINDS = pytest.mark.parametrize("taught", [False, True], ids=["no labels", "labels"])
_SURE, _SURELY_NOT = 90, 10


@cache
def _training() -> Training:
    return Training(GOODS.offers)


@cache
def _model(taught: bool) -> MatchModel:  # noqa: FBT001 - which of the two
    training = _training()
    model = training.unsupervised()
    if not taught:
        return model
    ids = [offer.id for offer in GOODS.offers]
    left, right = (side[::2] for side in training.candidates)
    same = (GOODS.products[left] == GOODS.products[right]) & (GOODS.products[left] >= 0)
    told = [(ids[a], ids[b], bool(s)) for a, b, s in zip(left, right, same, strict=True)]
    moved = training.refined(model, told)
    assert moved.together != model.together
    return moved


@KINDS
@settings(deadline=None, max_examples=10)
@given(OFFERS, st.lists(OFFERS, min_size=1, max_size=3))
def test_judgements_are_symmetric_bounded_and_explained(
    taught: bool,  # noqa: FBT001 - filled in by pytest
    offer: Offer,
    others: list[Offer],
) -> None:
    matcher = LearnedMatcher(_model(taught))
    others = [replace(other, id=f"other{at}") for at, other in enumerate(others)]
    judged = matcher.judge(offer, others)
    assert judged == matcher.judge(offer, others[::-1])
    alone = matcher.judge(offer, others[:1])[others[0].id]
    assert alone == matcher.judge(others[0], [offer])[offer.id]
    for match in (matcher.compare(offer, others[0]), *judged.values()):
        assert 0 <= match.confidence <= 100
        assert match.confidence == 50 + sum(e.weight for e in match.evidence)
    assert matcher.compare(offer, others[0]) == matcher.compare(others[0], offer)


@KINDS
def test_log_odds_of_a_catalogue_are_symmetric(taught: bool) -> None:  # noqa: FBT001
    scoring = _training().scoring(_model(taught))
    left, right = scoring.candidates
    assert scoring.log_odds(left, right) == pytest.approx(scoring.log_odds(right, left))
    assert scoring.log_odds(left, right) == pytest.approx(scoring.log_odds_of_candidates)
    few = np.arange(0, len(left), 97)
    assert scoring.log_odds(left[few], right[few]) == pytest.approx(
        scoring.log_odds_of_candidates[few]
    )


@KINDS
def test_a_judgement_is_what_all_pairs_weighed_in_full_say(taught: bool) -> None:  # noqa: FBT001
    model, offers = _model(taught), sorted(GOODS.offers[:40], key=lambda offer: offer.id)
    prepared = prepare(offers, model.vocabulary)
    left, right = np.triu_indices(len(offers), 1)
    sure = 100 * probability(Scoring(prepared, (left, right), model).log_odds(left, right))
    for at, offer in enumerate(offers[:8]):
        judged = LearnedMatcher(model).judge(offer, offers, 50)
        own = np.flatnonzero((left == at) | (right == at))
        confidences = [judged[offers[left[n] + right[n] - at].id].confidence for n in own]
        assert np.abs(confidences - sure[own]).max() <= 0.5 + 1e-6


def test_candidates_asked_for_again_are_as_they_were_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scoring = _training().scoring(_model(False))
    left, right = (side[::7] for side in scoring.candidates)
    few = Scoring(scoring.prepared, (left, right), scoring.model)
    chosen = np.arange(0, len(left), 3)
    asked = few.examples(left[chosen], right[chosen])
    assert (few.examples_of(chosen) == asked).all()
    monkeypatch.setattr(scoring_module, "CHUNK", 10)
    many = Scoring(scoring.prepared, (left, right), scoring.model)
    assert many.examples_of(chosen) == pytest.approx(asked)


def _words(offer: Offer) -> list[str]:
    """What is no size in its name."""
    return [word for word in offer.name.split() if word.isalpha() and len(word) > 3]


_NAMES = st.sampled_from([_words(offer) for offer in GOODS.offers[:40]])
_SIZES = st.sampled_from(
    [("45g", "0.045 kg"), ("45g", "45 GRAMS"), ("1 L", "1000ml"), ("6x100 ml", "600 ML")]
)


@KINDS
@settings(deadline=None, max_examples=20)
@given(
    _NAMES,
    # Of the same offer, or of another, which is surely not the same.
    st.none() | _NAMES,
    _SIZES,
    st.randoms(use_true_random=False),
    st.booleans(),
    st.sampled_from([50, 500]),
)
def test_spelling_case_and_order_never_turn_sure_into_surely_not(  # noqa: PLR0913, PLR0917
    taught: bool,  # noqa: FBT001 - filled in by pytest
    words: list[str],
    others: list[str] | None,
    size: tuple[str, str],
    chance: Random,
    shout: bool,  # noqa: FBT001 - filled in by hypothesis
    price: int,
) -> None:
    matcher = LearnedMatcher(_model(taught))
    first = replace(GOODS.offers[0], retailer="x", name=" ".join((*words, size[0])), size="")
    theirs = others or words
    plain = replace(first, id="other", retailer="y", name=" ".join((*theirs, size[0])))
    plain = replace(plain, price_minor=price)
    mixed = list(theirs)
    chance.shuffle(mixed)
    name = " ".join((*mixed, size[1]))
    spelt = replace(plain, name=name.upper() if shout else name)
    for ask in (matcher.compare, lambda a, b: matcher.judge(a, [b])[b.id]):
        before, after = ask(first, plain).confidence, ask(first, spelt).confidence
        assert not (before >= _SURE and after <= _SURELY_NOT)
        assert not (before <= _SURELY_NOT and after >= _SURE)
