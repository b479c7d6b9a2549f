"""What a price is worth is found out from the catalogue: the same names, under other prices."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from msgspec.structs import replace

from shared.products.matching import LearnedMatcher, MatchModel, Offer, train
from tests.benchmarks.generated import catalogue

MADE = catalogue(700, seed=7)
AT, APART = 10_000, 14_000


def drawn(seed: int) -> Iterator[int]:
    """Prices without end."""
    chance = np.random.default_rng(seed)
    while True:
        yield int(np.exp(chance.normal(9, 0.6)))


def taught(price_of: Callable[[int], int]) -> MatchModel:
    products = MADE.products.tolist()
    both = zip(MADE.offers, products, strict=True)
    return train([replace(offer, price_minor=price_of(product)) for offer, product in both])


@pytest.fixture(scope="module")
def telling() -> MatchModel:
    """Of a catalogue where both shops ask the same for a product, and for no two products."""
    prices, known = drawn(1), dict[int, int]()
    return taught(
        lambda product: known.setdefault(product, next(prices)) if product >= 0 else next(prices)
    )


@pytest.fixture(scope="module")
def idle() -> MatchModel:
    """Of the same catalogue with every price drawn anew."""
    prices = drawn(2)
    return taught(lambda _: next(prices))


def accepted(model: MatchModel, pairs: list[tuple[Offer, Offer]], prices: tuple[int, int]) -> float:
    """The share of the pairs that count as the same at these prices."""
    first, second = prices
    priced = [(replace(a, price_minor=first), replace(b, price_minor=second)) for a, b in pairs]
    matches = LearnedMatcher(model).compare_each(priced)
    return sum(match.same(50) for match in matches) / len(matches)


def test_where_equal_prices_tell_they_weigh_more(telling: MatchModel, idle: MatchModel) -> None:
    def gap(name: str) -> float:
        return telling.alone.get(name, 0.0) - idle.alone.get(name, 0.0)

    # An equal price adds more, and one that is off takes more.
    assert gap("price_same") > 0.2
    assert gap("price_near") > 0.2
    assert gap("price_off_unsized") < -0.2
    assert gap("price_far") < 0


def test_what_a_price_may_overrule_differs_with_it(telling: MatchModel, idle: MatchModel) -> None:
    matches = [(MADE.offers[a], MADE.offers[b]) for a, b in MADE.matches()]
    # The names of one product, at prices far apart: only where prices tell is that another one.
    kept = {
        name: accepted(model, matches, (AT, APART)) / accepted(model, matches, (AT, AT))
        for name, model in (("telling", telling), ("idle", idle))
    }
    assert kept["telling"] < 0.5 < kept["idle"]
    offer = Offer("a", "anders", "Lofa Strawberry Biscuits 200g", "", "", "", AT, "LKR")
    near = replace(offer, id="b", retailer="brightway", name="Lofa Biscuits Strawberry")
    off = replace(near, price_minor=AT * 21 // 20)
    for model, same in ((telling, False), (idle, True)):
        matcher = LearnedMatcher(model)
        assert matcher.compare(offer, near).same(50)
        assert matcher.compare(offer, off).same(50) is same
