"""Statistics are those of Python's own module, rounded half to even to whole minor units."""

import statistics
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from shared.prices.statistics import median_of, rounded, stats_of

PRICES = st.lists(st.integers(0, 10**13), min_size=1, max_size=60)


@given(PRICES)
def test_statistics_equal_pythons(prices: list[int]) -> None:
    exact = [Fraction(price) for price in prices]
    stats = stats_of(prices)
    assert stats is not None
    assert stats.min_minor == min(prices)
    assert stats.max_minor == max(prices)
    assert stats.count == len(prices)
    assert stats.average_minor == round(statistics.mean(exact))
    assert stats.median_minor == round(statistics.median(exact))


@given(PRICES, st.randoms())
def test_the_order_of_prices_does_not_matter(prices: list[int], chance: object) -> None:
    shuffled = sorted(prices, key=lambda _: chance.random())  # type: ignore[attr-defined]
    assert stats_of(shuffled) == stats_of(prices)


@given(st.integers(-(10**15), 10**15), st.integers(1, 10**6))
def test_rounding_is_half_to_even(numerator: int, denominator: int) -> None:
    assert rounded(numerator, denominator) == round(Fraction(numerator, denominator))


def test_no_prices_have_no_statistics() -> None:
    assert stats_of([]) is None
    assert median_of([7]) == 7
    assert median_of([1, 2]) == 2
    assert median_of([2, 3]) == 2
