"""Whether a price rises, falls or stays, told so that noise and a promotion read as staying.

Shelf prices stand still for weeks and then jump, so the median of all pairwise slopes (Theil
1950, Sen 1968) is zero for most of them. Here only pairs of one point of the first third and one
of the last are taken, as Theil's incomplete method takes pairs that lie far apart: a promotion of
less than half a third moves nothing, and a lasting step shows. Whether the direction is more than
chance says the Mann-Kendall test (Mann 1945, Kendall 1975), with its variance corrected for ties
and a correction for continuity.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from shared.prices.statistics import median_of

Direction = Literal["increasing", "decreasing", "stable"]

SIGNIFICANT: Final = 0.02
# What is less is no change that anybody would act on.
MATERIAL_PERCENT: Final = 1.5
_FEWEST: Final = 3


class Trend(msgspec.Struct, frozen=True):
    """A verdict and what it rests on; the slope is in minor units a day.

    `p_value` is how often chance alone would show as clear a direction; `change_percent` leads
    from the median of the first third to that of the last.
    """

    direction: Direction
    slope_minor_per_day: float
    p_value: float
    change_percent: float


def trend_of(days: Sequence[int], prices: Sequence[int]) -> Trend:
    """The trend of one price for each of some days, which must be ascending."""
    if len(prices) < _FEWEST:
        return Trend("stable", _slope(days, prices), 1.0, _change_percent(prices))
    score, p_value = mann_kendall(prices)
    slope, change = _slope(days, prices), _change_percent(prices)
    clear = p_value <= SIGNIFICANT and abs(change) >= MATERIAL_PERCENT
    direction: Direction = "stable"
    if clear and score > 0 and change > 0:
        direction = "increasing"
    elif clear and score < 0 and change < 0:
        direction = "decreasing"
    return Trend(direction, slope, p_value, change)


def mann_kendall(values: Sequence[int]) -> tuple[int, float]:
    """The score (pairs that rise less pairs that fall) and the two-sided p-value."""
    count = len(values)
    score = sum(
        (later > earlier) - (later < earlier)
        for at, earlier in enumerate(values)
        for later in values[at + 1 :]
    )
    ties = sum(n * (n - 1) * (2 * n + 5) for n in Counter(values).values())
    variance = (count * (count - 1) * (2 * count + 5) - ties) / 18
    if variance <= 0 or score == 0:
        return score, 1.0
    z = (abs(score) - 1) / math.sqrt(variance)
    return score, math.erfc(z / math.sqrt(2))


def _slope(days: Sequence[int], prices: Sequence[int]) -> float:
    third = _third(prices)
    slopes = sorted(
        (prices[late] - prices[early]) / (days[late] - days[early])
        for early in range(third)
        for late in range(len(prices) - third, len(prices))
        if late > early
    )
    if not slopes:
        return 0.0
    middle = len(slopes) // 2
    if len(slopes) % 2:
        return slopes[middle]
    return (slopes[middle - 1] + slopes[middle]) / 2


def _change_percent(prices: Sequence[int]) -> float:
    if not prices:
        return 0.0
    third = _third(prices)
    before, after = median_of(prices[:third]), median_of(prices[len(prices) - third :])
    return (after - before) * 100 / before if before else 0.0


def _third(prices: Sequence[int]) -> int:
    return max(1, len(prices) // 3) if prices else 0
