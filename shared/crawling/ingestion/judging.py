"""Whether a crawled price may be true, by rules alone."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from shared.money import MAX_PRICE_MINOR
from shared.prices.judging import far_from_usual
from shared.prices.statistics import median_of
from shared.products.currencies import CURRENCIES
from shared.products.matching.quantity import quantity

# A price that lies so near to what a unit of the pack costs is that unit's.
_NEAR: Final = Decimal("0.02")


class Facts(msgspec.Struct, frozen=True):
    """A crawled price with what is known beside it; amounts in minor units of their currency.

    `known_minor` is what the product costs so far, None for an unknown one; `recent_minor` are its
    prices of late in `currency`. `unit` is what `unit_price_minor` is for, such as 100g.
    """

    price_minor: int
    currency: str
    size: str = ""
    unit_price_minor: int | None = None
    unit: str | None = None
    known_minor: int | None = None
    known_currency: str | None = None
    recent_minor: Sequence[int] = ()

    @property
    def usual_minor(self) -> int | None:
        """What the product usually costs in the price's currency."""
        if self.recent_minor:
            return median_of(self.recent_minor)
        return self.known_minor if self.known_currency == self.currency else None


def unstorable(price_minor: int, currency: str) -> str:
    """Why nobody could stand for the price; empty if one may."""
    if price_minor <= 0:
        return "is not above zero"
    if price_minor > MAX_PRICE_MINOR:
        return "is too large"
    if currency not in CURRENCIES:
        return "is in no currency of ISO 4217"
    return ""


def unlikely(facts: Facts, factor: int) -> str:
    """Why the price is kept apart until somebody stands for it; empty if it may be true."""
    if reason := unstorable(facts.price_minor, facts.currency):
        return reason
    if facts.known_currency not in (None, facts.currency):
        return f"is in {facts.currency}, the product's currency is {facts.known_currency}"
    usual = facts.usual_minor
    return _of_a_unit(facts) or far_from_usual(facts.price_minor, usual, facts.currency, factor)


def _of_a_unit(facts: Facts) -> str:
    """Whether the price says what a unit costs, and the pack holds more or less than one."""
    units = _units(facts.size, facts.unit)
    if units is None or units == 1 or facts.unit_price_minor is None:
        return ""
    if facts.price_minor == facts.unit_price_minor:
        return f"is the price of {facts.unit}"
    usual = facts.usual_minor
    if usual and abs(facts.price_minor * units - usual) <= usual * _NEAR:
        return f"seems to be the price of {facts.unit}"
    return ""


def _units(size: str, unit: str | None) -> Decimal | None:
    """How many of `unit` the pack holds, where both can be read."""
    pack, one = quantity(size), _unit_of(unit)
    if pack is None or one is None or pack.dimension != one[1] or not one[0]:
        return None
    return pack.value / one[0]


def _unit_of(unit: str | None) -> tuple[Decimal, str] | None:
    if not unit:
        return None
    # "kg" alone is one of them.
    read = quantity(unit) or quantity(f"1 {unit}")
    return None if read is None else (read.value, read.dimension)
