"""When a crawl that saw a product at its price tells the history something."""

from datetime import timedelta

import pytest

from shared.prices.models import DAY_MICROS, Point
from shared.prices.recording import _tells
from shared.products.price_changes import Changed

AT = 100 * DAY_MICROS
SEEN = Changed("p", "corner", AT, 10_000, "LKR")


def point(age: timedelta, price_minor: int = 10_000, retailer: str = "corner") -> Point:
    return Point(AT - age // timedelta(microseconds=1), retailer, price_minor, "LKR", "api")


@pytest.mark.parametrize(
    ("points", "told"),
    [
        ([], True),
        ([point(timedelta(days=4))], False),
        ([point(timedelta(days=5))], True),
        ([point(timedelta(days=1), 9_000)], True),
        ([point(timedelta(days=9), 9_000), point(timedelta(days=1))], False),
        # What another retailer asks, or what is known of later, says nothing of it.
        ([point(timedelta(days=1), retailer="keells")], True),
        ([point(timedelta(days=-1))], True),
    ],
)
def test_a_first_another_or_an_old_price_is_told(points: list[Point], told: bool) -> None:  # noqa: FBT001
    assert _tells(SEEN, points) is told
