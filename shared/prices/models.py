"""A price that was seen, and the month that keeps it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, Literal

import msgspec

Source = Literal["crawler", "manual", "api"]
# Firestore's events carry a document twice in at most 512 kB; about 1,500 prices fit.
MAX_MONTH_BYTES: Final = 90_000
DAY_MICROS: Final = 24 * 3600 * 1_000_000
_MONTHS: Final = 12


class Point(msgspec.Struct, frozen=True, array_like=True, order=True):
    """One price at one moment (microseconds since the epoch), in minor units of its currency."""

    at_micros: int
    retailer: str
    price_minor: int
    currency: str
    source: Source


_decoder = msgspec.json.Decoder(list[Point])


def pack(points: Iterable[Point]) -> str:
    """The points as one text, in order of time: a map for each would be three times as large."""
    return msgspec.json.encode(sorted(points)).decode()


def unpack(text: str) -> list[Point]:
    """The points of a month's text, in order of time."""
    return _decoder.decode(text)


def packed_bytes(point: Point) -> int:
    """How much longer a month's text is with this point in it."""
    return len(msgspec.json.encode(point)) + 1


def month_of(moment: datetime) -> str:
    """The month that a moment in UTC belongs to, such as 2026-03."""
    return f"{moment.year:04}-{moment.month:02}"


def months_between(first: datetime, last: datetime) -> list[str]:
    """Every month from that of `first` to that of `last`."""
    begin, end = (moment.year * _MONTHS + moment.month - 1 for moment in (first, last))
    return [f"{at // _MONTHS:04}-{at % _MONTHS + 1:02}" for at in range(begin, end + 1)]
