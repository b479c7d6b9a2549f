"""The model that is shipped: what it knows, and that it says when it knows nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.classification import local_model
from shared.classification.local_model import LocalModel
from shared.classification.models import Categories, Choice, Example
from shared.products.default_categories import DEFAULT_CATEGORIES

NAMES = {seed.id: seed.name for seed in DEFAULT_CATEGORIES}
LEAVES = Categories(
    tuple(
        Choice(seed.id, (NAMES[seed.parent_id], seed.name))
        for seed in DEFAULT_CATEGORIES
        if seed.parent_id is not None
    )
)
UNTAUGHT = LocalModel(LEAVES, [])


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
def test_names_and_synonyms_are_enough_for_what_calls_itself_so(text: str, category: str) -> None:
    assert UNTAUGHT.classify(text).category == category


def test_it_learns_from_what_is_labelled() -> None:
    text = "Kottu Mee Hot Garlic 80g"
    taught = LocalModel(LEAVES, [Example("Kottu Mee Chicken 80g", "noodles-and-pasta")] * 3)
    before, after = UNTAUGHT.classify(text), taught.classify(text)
    assert after.category == "noodles-and-pasta"
    assert after.confidence > before.confidence


def test_what_it_does_not_know_it_says() -> None:
    verdict = UNTAUGHT.classify("Ω 123 ?!")
    assert verdict.confidence == 0
    assert verdict.category in LEAVES.ids


@given(st.text(max_size=80))
def test_every_answer_is_of_the_list_and_within_bounds(text: str) -> None:
    verdict = UNTAUGHT.classify(text)
    assert verdict.category in LEAVES.ids
    assert 0 <= verdict.confidence <= 95


def test_what_is_kept_of_words_is_bounded() -> None:
    assert local_model._parts.cache_info().maxsize == local_model.MOST_WORDS
