"""Whose word counts for a product that is as good as known, and when nobody's does."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest

from shared.classification import known_neighbours
from shared.classification.known_neighbours import KnownNeighbours
from shared.classification.models import Categories, Choice, Example, Item
from shared.classification.neighbours import REVIEWED_PERCENT, Neighbours

CATEGORIES = Categories(tuple(Choice(name, (name.title(),)) for name in ("tea", "milk", "soap")))


def filed(count: int, wrong: int = 0) -> list[Example]:
    """Pairs of the same product in two sizes, of which some are filed apart."""
    pairs = []
    for n in range(count):
        text = f"Maker{chr(97 + n % 26)} {'abcdefghij'[n // 26]}leaf tea"
        other = "milk" if n < wrong else "tea"
        pairs += [Example(f"{text} 100 g", "tea"), Example(f"{text} 200 g", other)]
    return pairs


def test_a_reviewer_s_word_about_the_same_product_counts_at_once() -> None:
    known = Neighbours(CATEGORIES, [Example("Lux Rose Bar 80 g", "soap")], [])
    found = known.nearest("LUX rose bar 100g")
    assert found is not None
    assert (found.category, found.confidence) == ("soap", REVIEWED_PERCENT)
    assert known.nearest("Lux Rose Bars") is None
    assert known.nearest("") is None


def test_what_is_sold_by_weight_is_no_neighbour_of_what_is_sold_by_volume() -> None:
    known = Neighbours(CATEGORIES, [Example("Anchor Milk 1 l", "milk")], filed(60))
    for same in ("Anchor Milk 500ml", "Anchor Milk", "Anchor Milk 6 pack"):
        found = known.nearest(same)
        assert found is not None
        assert found.category == "milk"
    assert known.nearest("Anchor Milk 400 g") is None
    assert known.nearest("Anchor Milks Full Cream 400 g") is None
    assert known.nearest("Makera aleaf teas 400 ml") is None
    # What the catalogue says of the size beside the name counts as well.
    reviewed = KnownNeighbours(CATEGORIES, [Example("Anchor Milk 1 l", "milk")], [])
    assert reviewed.nearest(Item("Milk", brand="Anchor", id="a", size="2 L")) is not None
    assert reviewed.nearest(Item("Milk", brand="Anchor", id="b", size="400 g")) is None


def test_reviewers_who_disagree_say_nothing() -> None:
    reviewed = [Example("Lux Rose 80 g", "soap"), Example("Lux Rose 90 g", "milk")]
    assert Neighbours(CATEGORIES, reviewed, filed(60)).nearest("Lux Rose") is None


def test_the_catalogue_s_word_counts_where_it_agrees_with_itself() -> None:
    known = Neighbours(CATEGORIES, [], filed(60))
    found = known.nearest("Makera aleaf teas 400 g")
    assert found is not None
    assert found.category == "tea"
    assert found.confidence >= 95
    assert known.nearest("Another leaf tea") is None
    for doubtful in (filed(60, wrong=10), filed(10)):
        assert Neighbours(CATEGORIES, [], doubtful).nearest("Makerz aleaf tea") is None


def test_a_category_that_is_gone_is_nobody_s() -> None:
    gone = [Example("Lux Rose", "perfume")]
    assert Neighbours(CATEGORIES, gone, filed(60)).nearest("Lux Rose") is None


def test_how_the_catalogue_files_its_own_products_is_what_is_in_question() -> None:
    known = KnownNeighbours(CATEGORIES, [Example("Lux Rose", "soap")], filed(60))
    assert known.nearest(Item("Makera aleaf tea", id="one")) is None
    assert known.nearest(Item("Makera aleaf tea")) is not None
    assert known.nearest(Item("Rose", brand="Lux", id="two")) is not None


def test_what_several_ask_for_in_one_moment_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    both_ask, both_make = Barrier(2, timeout=10), Barrier(2)

    class Slow(Neighbours):
        def __init__(self, *of: Any) -> None:
            super().__init__(*of)
            made.append(1)
            # Gives the other one time to come here, too.
            with suppress(BrokenBarrierError):
                both_make.wait(0.1)

    monkeypatch.setattr(known_neighbours, "Neighbours", Slow)
    known = KnownNeighbours(CATEGORIES, [], [])

    def ask(_: int) -> None:
        both_ask.wait()
        known.nearest(Item("Tea"))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(ask, range(2)))
    assert made == [1]
