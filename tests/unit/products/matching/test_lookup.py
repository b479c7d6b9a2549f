from functools import cache

import numpy as np
from msgspec.structs import replace

from shared.products.matching import LearnedMatcher, Offer, default_model
from shared.products.matching.lookup import MOST_COMPARED, Shelf
from tests.benchmarks.generated import catalogue

SIZE = 3000
MILK = Offer("0", "keells", "Anchor Milk Powder 400g", "", "", "", 98000, "LKR")


@cache
def _file() -> tuple[list[Offer], Shelf]:
    """A file of one shop that holds most of its products twice, the second ones at its end."""
    made = catalogue(SIZE)
    again = [b for _, b in made.matches()]
    late = set(again)
    order = [at for at in range(len(made.offers)) if at not in late] + again
    offers = [replace(made.offers[at], retailer="keells") for at in order]
    return offers, Shelf(offers, default_model())


def test_a_row_finds_its_equal_before_it() -> None:
    made = catalogue(SIZE)
    offers, shelf = _file()
    place = {offer.id: at for at, offer in enumerate(offers)}
    matches = [(place[made.offers[a].id], place[made.offers[b].id]) for a, b in made.matches()]
    found = sum(a in shelf.surest(b)[0][:10].tolist() for a, b in matches[:600])
    assert found / 600 >= 0.995


def test_looked_up_in_memory_a_row_is_as_sure_as_compared_by_itself() -> None:
    offers, shelf = _file()
    matcher = LearnedMatcher(default_model())
    for place in range(len(offers) - 60, len(offers)):
        earlier, sure = shelf.surest(place)
        assert len(earlier) <= MOST_COMPARED
        pairs = [(offers[at], offers[place]) for at in earlier.tolist()]
        alone = [match.confidence for match in matcher.compare_each(pairs)]
        assert np.abs(sure - alone).max(initial=0) <= 0.5 + 1e-3
        assert (np.diff(sure) <= 0).all()


def test_a_row_is_held_against_earlier_ones_of_its_own_retailer() -> None:
    rows = [replace(MILK, id=str(at)) for at in range(4)]
    rows[1] = replace(rows[1], retailer="cargills")
    shelf = LearnedMatcher(default_model()).shelf(rows)
    assert [sorted(shelf.surest(at)[0].tolist()) for at in range(4)] == [[], [], [0], [0, 2]]


def test_nothing_is_like_a_name_of_unknown_words() -> None:
    rows = [MILK, replace(MILK, id="1", name="qqq xxx"), replace(MILK, id="2", name="")]
    shelf = Shelf(rows, default_model())
    assert not any(len(shelf.surest(at)[0]) for at in range(3))
    assert not len(Shelf([MILK], default_model()).surest(0)[0])
