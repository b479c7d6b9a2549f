"""What `local` answers: by names and synonyms, by what is labelled, and by what is not."""

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.classification import fitting, meaning, wording
from shared.classification.local_model import MOST_CONFIDENCE, LocalModel
from shared.classification.models import Categories, Choice, Example
from shared.classification.synonyms import MOST, SYNONYMS, synonyms_of
from shared.products.default_categories import DEFAULT_CATEGORIES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

NAMES = {seed.id: seed.name for seed in DEFAULT_CATEGORIES}
LEAVES = Categories(
    tuple(
        Choice(seed.id, (NAMES[seed.parent_id], seed.name))
        for seed in DEFAULT_CATEGORIES
        if seed.parent_id is not None
    )
)
Model = partial(LocalModel, embed=meaning.vectors)
DRINKS = Categories((Choice("tea", ("Tea",)), Choice("soap", ("Soap",))))


@pytest.fixture(scope="module")
def untaught() -> LocalModel:
    return Model(LEAVES, [])


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("Anchor Full Cream Milk Powder 400g", "milk"),
        ("Dilmah Ceylon Tea Bags 50s", "tea"),
        ("Fresh Carrots 500g", "fresh-vegetables"),
        ("Basmati Rice 5kg", "rice"),
        ("Signal toothpaste strong teeth", "oral-care"),
        ("Maggi Instant Noodles Chicken", "noodles-and-pasta"),
        ("Sunlight detergent powder", "laundry"),
        ("Yogurt set 80g", "yoghurt-and-curd"),
        ("Baby Cheramy diapers medium", "nappies"),
        ("Magnum ice-cream bar", "ice-cream"),
    ],
)
def test_names_and_synonyms_are_enough_for_what_calls_itself_so(
    untaught: LocalModel, text: str, category: str
) -> None:
    assert untaught.classify(text).category == category


def test_it_learns_from_what_is_labelled(untaught: LocalModel) -> None:
    text = "Kottu Mee Hot Garlic 80g"
    taught = Model(LEAVES, [Example("Kottu Mee Chicken 80g", "noodles-and-pasta")] * 3)
    assert untaught.classify(text).category != "noodles-and-pasta"
    assert taught.classify(text).category == "noodles-and-pasta"


def test_texts_of_unknown_category_help_each_other() -> None:
    # Nobody says what a Zorbix is; that all the others are teas says it.
    texts = [f"Zorbix {kind} tea bags" for kind in ("black", "green", "herbal", "ceylon")]
    alone, together = Model(DRINKS, []), Model(DRINKS, [], [*texts, "Lux bath soap", "Zorbix 50s"])
    share_alone = alone._likely(["Zorbix 50s"])[0, 0]
    assert together._likely(["Zorbix 50s"])[0, 0] > share_alone
    assert together.classify("Zorbix 50s").category == "tea"


def test_what_it_does_not_know_it_says(untaught: LocalModel) -> None:
    verdict = untaught.classify("Ω 123 ?!")
    assert verdict.confidence == 0
    assert verdict.category in LEAVES.ids


@settings(max_examples=15)
@given(text=st.text(max_size=80))
def test_every_answer_is_of_the_list_and_within_bounds(untaught: LocalModel, text: str) -> None:
    verdict = untaught.classify(text)
    assert verdict.category in LEAVES.ids
    assert 0 <= verdict.confidence <= MOST_CONFIDENCE


def test_all_together_are_told_as_each_alone() -> None:
    model = Model(DRINKS, [Example("Lux bar", "soap"), Example("Dilmah bags", "tea")])
    texts = ["Lux rose", "Dilmah gold", "Lux bar", ""]
    assert model.classify_all(texts) == [model.classify(text) for text in texts]


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert wording._parts.cache_info().maxsize == wording.MOST_WORDS
    monkeypatch.setattr(meaning, "MOST_KEPT", 2)
    meaning.vectors(["one", "two", "three"])
    assert len(meaning._kept) == 2


def test_no_category_takes_more_than_ten_synonyms() -> None:
    assert all(len(synonyms_of(name)) <= MOST for name in (*SYNONYMS, *NAMES.values()))
    assert all(1 <= len(kinds) <= MOST for kinds in SYNONYMS.values())
    assert len(synonyms_of("Tea, Coffee, Biscuits and Rice")) == MOST


def test_a_category_of_several_words_takes_from_each_in_turn() -> None:
    assert synonyms_of("Tea and Coffee")[:2] == [SYNONYMS["tea"][0], SYNONYMS["coffee"][0]]
    assert set(synonyms_of("Ice Cream")) == set(SYNONYMS["ice cream"])
    assert synonyms_of("Sundries") == []


def test_time_that_has_run_out_leaves_the_rest_for_later() -> None:
    assert meaning.prepared(["Tea", "Soap"], -1) == 0
    assert meaning.prepared(["Tea", "Soap"], 60) == 2


def two_groups(count: int) -> "tuple[Floats, Floats, Floats]":
    """Likeness, prior and truth of texts of two kinds; the prior is right for seven in ten."""
    told = np.random.default_rng(1)
    groups = np.arange(count) % 2
    points = told.normal(size=(count, 8)).astype(np.float32) / 3
    points += np.eye(8, dtype=np.float32)[groups]
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    guess = np.where(told.random(count) < 0.7, groups, 1 - groups)
    kinds = np.eye(2, dtype=np.float32)
    return points @ points.T, kinds[guess] * 0.4 + 0.3, kinds[groups]


@pytest.mark.parametrize("known", [0, 12, 60])
def test_a_fit_takes_two_groups_apart_and_says_how_sure_it_is(known: int) -> None:
    likeness, prior, truth = two_groups(90)
    fit = fitting.fit(likeness, prior, truth[:known])
    shares = fit.shares(fit.scores(likeness, prior))
    assert shares.sum(axis=1) == pytest.approx(1, abs=1e-5)
    right = (shares.argmax(axis=1) == truth.argmax(axis=1))[known:].mean()
    assert right > (prior.argmax(axis=1) == truth.argmax(axis=1))[known:].mean()
    assert right >= 0.9 or known < 60
    # What no label has measured may be further off than one heat can say.
    assert fit.heats.min() > 0
    assert (len(fit.heats) > 1) == (known < fitting.FEWEST_TO_MEASURE)


def test_what_a_text_scores_alone_is_what_the_others_say_of_it() -> None:
    likeness, prior, truth = two_groups(20)
    alone = fitting.fit(likeness, prior, truth).alone[0]
    others = fitting.fit(likeness[1:, 1:], prior[1:], truth[1:])
    assert alone == pytest.approx(others.scores(likeness[:1, 1:], prior[:1])[0], abs=1e-4)


def test_no_text_believes_itself() -> None:
    texts = ["Ceylon Leaf", *(f"Item {letter}" for letter in "abcdefgh")]
    model, without = (Model(DRINKS, [], some) for some in (texts, texts[1:]))
    itself, other = (each.classify(texts[0]).confidence for each in (model, without))
    assert abs(itself - other) <= 4
