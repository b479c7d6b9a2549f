"""What becomes of one uploaded price, beside those that are known."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, Literal

import msgspec

from shared.money import to_decimal
from shared.prices.models import MAX_MONTH_BYTES, Point, pack, packed_bytes
from shared.prices.statistics import median_of

Verdict = Literal["stored", "unchanged", "quarantined", "rejected"]

# Mistaken units and lost decimal points are off by ten or more; half-price offers are by two.
UNLIKELY_FACTOR: Final = 5
# A price without a time that is sent again within so long says nothing new.
SAME_PRICE: Final = timedelta(hours=1)
_SAME_MICROS: Final = SAME_PRICE // timedelta(microseconds=1)


class Candidate(msgspec.Struct, frozen=True):
    """A price to be judged.

    `reference_minor` is what the product costs otherwise; `timed` says that the row named its
    moment, `confirmed` that a person stands for an unlikely price.
    """

    row: int
    product_id: str
    point: Point
    timed: bool
    confirmed: bool
    reference_minor: int | None


class Judgement(msgspec.Struct, frozen=True):
    """A verdict with its reason, empty for what needs none."""

    verdict: Verdict
    reason: str = ""


class Month:
    """The prices of one product in one month, and those that are being added."""

    def __init__(self, points: Sequence[Point]) -> None:
        self.points = list(points)
        self.changed = False
        self._bytes = len(pack(points))
        self._known = {(point.retailer, point.at_micros): point for point in points}

    def take(self, candidate: Candidate) -> Judgement:
        """The verdict on the candidate, which is kept if that is `stored`."""
        point = candidate.point
        if (known := self._known.get((point.retailer, point.at_micros))) is not None:
            return _again(known, point)
        if not candidate.timed and self._says_the_same(point):
            return Judgement("unchanged")
        if not candidate.confirmed and (reason := self._unlikely(candidate)):
            return Judgement("quarantined", reason)
        self._bytes += packed_bytes(point)
        if self._bytes > MAX_MONTH_BYTES:
            self._bytes -= packed_bytes(point)
            return Judgement("rejected", "the product has as many prices in this month as fit")
        self.points.append(point)
        self._known[point.retailer, point.at_micros] = point
        self.changed = True
        return Judgement("stored")

    def _says_the_same(self, point: Point) -> bool:
        own = [known for known in self.points if known.retailer == point.retailer]
        newest = max(own, default=None)
        return (
            newest is not None
            and 0 <= point.at_micros - newest.at_micros <= _SAME_MICROS
            and newest.price_minor == point.price_minor
        )

    def _unlikely(self, candidate: Candidate) -> str:
        point = candidate.point
        own = [
            known.price_minor
            for known in self.points
            if (known.retailer, known.currency) == (point.retailer, point.currency)
        ]
        usual = median_of(own) if own else candidate.reference_minor
        return far_from_usual(point.price_minor, usual, point.currency, UNLIKELY_FACTOR)


def far_from_usual(price_minor: int, usual_minor: int | None, currency: str, factor: int) -> str:
    """Why a price may be untrue beside what is usual; empty if it may be true."""
    if not usual_minor:
        return ""
    shown = f"{to_decimal(usual_minor, currency)} {currency}"
    if price_minor > usual_minor * factor:
        return f"is more than {factor} times the usual {shown}"
    if price_minor * factor < usual_minor:
        return f"is less than the usual {shown} divided by {factor}"
    return ""


def _again(known: Point, point: Point) -> Judgement:
    if (known.price_minor, known.currency) == (point.price_minor, point.currency):
        return Judgement("unchanged")
    shown = f"{to_decimal(known.price_minor, known.currency)} {known.currency}"
    return Judgement("rejected", f"another price is stored for this moment: {shown}")
