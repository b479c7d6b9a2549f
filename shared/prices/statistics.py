"""What a series of prices comes to, exactly: integers in, minor units out."""

from collections.abc import Sequence

import msgspec


class Stats(msgspec.Struct, frozen=True):
    """Prices in minor units; average and median are rounded half to even."""

    min_minor: int
    max_minor: int
    average_minor: int
    median_minor: int
    count: int


def stats_of(prices: Sequence[int]) -> Stats | None:
    """The statistics of prices in minor units, or None where there are none."""
    if not prices:
        return None
    return Stats(
        min_minor=min(prices),
        max_minor=max(prices),
        average_minor=rounded(sum(prices), len(prices)),
        median_minor=median_of(prices),
        count=len(prices),
    )


def median_of(prices: Sequence[int]) -> int:
    """The middle price, or the mean of the middle two, rounded half to even."""
    ordered = sorted(prices)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return rounded(ordered[middle - 1] + ordered[middle], 2)


def rounded(numerator: int, denominator: int) -> int:
    """The quotient rounded half to even; the denominator must be positive."""
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    if twice > denominator or (twice == denominator and quotient % 2):
        return quotient + 1
    return quotient
