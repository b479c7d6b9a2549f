"""The verdict on series whose trend is known, because they were made with it."""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.prices.trend import mann_kendall, trend_of

BASE = 50_000


@dataclass(frozen=True)
class Series:
    """Prices by day, and what they do."""

    name: str
    label: str
    prices: list[int]
    days: list[int] = field(default_factory=list)

    def placed(self) -> list[int]:
        return self.days or list(range(len(self.prices)))


def noisy(level: Callable[[int], float], days: int, percent: float, seed: int) -> list[int]:
    chance = random.Random(seed)  # noqa: S311 - play data that must repeat
    return [
        round(level(day) * (1 + chance.uniform(-percent, percent) / 100)) for day in range(days)
    ]


def flat() -> Iterator[Series]:
    for days in (3, 7, 14, 30, 90, 180):
        yield Series(f"flat {days}", "stable", [BASE] * days)


def noisy_flat() -> Iterator[Series]:
    for percent in (0.5, 1.0, 2.0, 3.0):
        for seed in range(4):
            prices = noisy(lambda _: BASE, 30 + 15 * seed, percent, seed)
            yield Series(f"noise {percent} seed {seed}", "stable", prices)


def drift() -> Iterator[Series]:
    for daily in (0.15, 0.3, 0.6, 1.5):
        for noise in (0.0, 0.5):
            for days in (30, 60):
                up = noisy(partial(rising, daily), days, noise, days)
                yield Series(f"up {daily} noise {noise} of {days}", "increasing", up)
                fall = list(reversed(up))
                yield Series(f"down {daily} noise {noise} of {days}", "decreasing", fall)


def rising(daily_percent: float, day: int) -> float:
    return BASE * (1 + day * daily_percent / 100)


def imperceptible() -> Iterator[Series]:
    for days in (30, 60):
        prices = [round(BASE * (1 + day * 0.0001)) for day in range(days)]
        yield Series(f"a hundredth of a percent a day for {days}", "stable", prices)


def steps() -> Iterator[Series]:
    for at in (10, 15, 20):
        for percent in (5, 20):
            up = [BASE] * at + [BASE * (100 + percent) // 100] * (30 - at)
            yield Series(f"step of {percent} at {at}", "increasing", up)
            down = [BASE] * at + [BASE * (100 - percent) // 100] * (30 - at)
            yield Series(f"cut of {percent} at {at}", "decreasing", down)
    yield Series("step just now", "stable", [BASE] * 28 + [BASE * 12 // 10] * 2)
    yield Series("step long ago", "stable", [BASE] * 2 + [BASE * 12 // 10] * 28)


def promotions() -> Iterator[Series]:
    for begin in (0, 5, 13, 20, 26):
        for length in (2, 4):
            prices = [BASE] * 30
            prices[begin : begin + length] = [BASE * 7 // 10] * len(prices[begin : begin + length])
            yield Series(f"promotion of {length} at {begin}", "stable", prices)
    dips = [BASE * 8 // 10 if day % 10 in (3, 4) else BASE for day in range(60)]
    yield Series("a promotion each ten days", "stable", dips)
    risen = [round(BASE * (1 + day * 0.003)) for day in range(30)]
    risen[12:15] = [price * 7 // 10 for price in risen[12:15]]
    yield Series("a promotion amid a rise", "increasing", risen)


def gaps() -> Iterator[Series]:
    for label, daily in (("stable", 0.0), ("increasing", 0.3), ("decreasing", -0.3)):
        for name, days in (
            ("weekends", [day for day in range(60) if day % 7 < 5]),
            ("three weeks", [*range(15), *range(36, 60)]),
            ("weekly", list(range(0, 90, 7))),
        ):
            prices = [round(BASE * (1 + day * daily / 100)) for day in days]
            yield Series(f"{label} without {name}", label, prices, days)


def few() -> Iterator[Series]:
    yield Series("one point", "stable", [BASE])
    yield Series("two points alike", "stable", [BASE, BASE])
    yield Series("two points apart", "stable", [BASE, BASE * 2])
    yield Series("three points", "stable", [BASE, BASE * 2, BASE * 3])
    yield Series("two points far apart in time", "stable", [BASE, BASE * 2], [0, 90])


TABLE = [
    series
    for made in (flat, noisy_flat, drift, imperceptible, steps, promotions, gaps, few)
    for series in made()
]


def test_the_table_is_long_enough() -> None:
    assert len(TABLE) >= 60
    assert len({series.name for series in TABLE}) == len(TABLE)


@pytest.mark.parametrize("series", TABLE, ids=lambda series: series.name)
def test_the_verdict_is_the_label(series: Series) -> None:
    trend = trend_of(series.placed(), series.prices)
    assert trend.direction == series.label, trend


def test_noise_reads_as_stable_nearly_always() -> None:
    wrong = sum(
        trend_of(range(30), noisy(lambda _: BASE, 30, 3.0, seed)).direction != "stable"
        for seed in range(500)
    )
    assert wrong <= 10


def test_a_linear_series_has_its_own_slope() -> None:
    trend = trend_of(range(30), [1000 + 7 * day for day in range(30)])
    assert trend.slope_minor_per_day == 7
    assert trend.p_value < 1e-9


def test_no_points_have_no_trend() -> None:
    assert trend_of([], []).direction == "stable"
    assert trend_of([], []).p_value == 1


@given(st.lists(st.integers(1, 30), min_size=3, max_size=25))
def test_the_score_and_its_significance_are_the_tests_definition(values: list[int]) -> None:
    score, p_value = mann_kendall(values)
    assert score == sum((b > a) - (b < a) for a, b in combinations(values, 2))
    assert p_value == pytest.approx(by_definition(values, score))


def by_definition(values: Sequence[int], score: int) -> float:
    n, groups = len(values), [values.count(value) for value in set(values)]
    variance = (n * (n - 1) * (2 * n + 5) - sum(t * (t - 1) * (2 * t + 5) for t in groups)) / 18
    if score == 0 or variance == 0:
        return 1.0
    z = (abs(score) - 1) / math.sqrt(variance)
    return 2 * (1 - 0.5 * (1 + math.erf(z / math.sqrt(2))))


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=30))
def test_a_mirrored_series_has_the_mirrored_score(prices: list[int]) -> None:
    score, p_value = mann_kendall(prices)
    mirrored, same = mann_kendall(prices[::-1])
    assert (mirrored, same) == (-score, p_value)
