"""Prices as people write them, read exactly or refused."""

import re
import unicodedata
from decimal import Decimal
from typing import Final

from shared.money import exponent_of
from shared.products.currencies import CURRENCIES, SIGNS

_MAX_LENGTH: Final = 40
_SIGN: Final = "|".join(map(re.escape, SIGNS))
_UNIT: Final = rf"(?:{_SIGN}|[a-z]{{3}})\.?"
# A price per kilogram is another thing, and refused.
_EACH: Final = r"(?:/|per)\s*(?:unit|item|each|ea|pc|piece|pack)"
_PRICE: Final = re.compile(
    rf"(?P<before>{_UNIT})?\s*(?P<number>[0-9](?:[0-9 .,']*[0-9])?)\s*(?:/[-=])?\s*"
    rf"(?P<after>{_UNIT})?\s*(?:/[-=]|{_EACH})?",
)
_PLAIN: Final = re.compile(r"[0-9]+")
_GROUPED: Final = {
    mark: re.compile(
        # Three by three, or lakh and crore.
        rf"[1-9][0-9]{{0,2}}(?:{re.escape(mark)}[0-9]{{3}})+"
        rf"|[1-9][0-9]?(?:{re.escape(mark)}[0-9]{{2}})+{re.escape(mark)}[0-9]{{3}}"
    )
    for mark in ",. '"
}
_THOUSAND_DIGITS: Final = 3
_NOT_A_PRICE: Final = "is not a price"


def parse_price(text: str, currency: str | None = None) -> tuple[Decimal, str | None]:
    """The exact amount and the currency that `text` names, if any.

    Args:
        text: a price such as "Rs. 1,234.50" or "1.234,50 EUR".
        currency: what is known from elsewhere; it decides how many decimals are plausible.

    Raises:
        ValueError: the text is no price, is negative, or can be read in two ways.
    """
    plain = (
        unicodedata.normalize("NFKC", text).strip().replace("\u2212", "-").replace("\u2019", "'")
    )
    if len(plain) > _MAX_LENGTH:
        raise ValueError(_NOT_A_PRICE)
    if plain.startswith(("-", "(")):
        raise ValueError("must not be negative")
    match = _PRICE.fullmatch(plain.casefold())
    if match is None:
        raise ValueError(_NOT_A_PRICE)
    named = {_currency(match[side]) for side in ("before", "after") if match[side]}
    if len(named) > 1:
        raise ValueError("names two currencies")
    stated = named.pop() if named else None
    return _amount(match["number"], currency or stated or ""), stated


def _currency(unit: str) -> str:
    name = unit.removesuffix(".")
    code = SIGNS.get(name, name.upper())
    if code not in CURRENCIES:
        raise ValueError(_NOT_A_PRICE)
    return code


def _amount(number: str, currency: str) -> Decimal:
    """The decimal mark is the last of two kinds; a single kind is judged by its groups."""
    marks = [mark for mark in number if mark in ".,"]
    kinds = set(marks)
    if not kinds:
        return Decimal(_whole(number))
    last = marks[-1]
    whole, _, fraction = number.rpartition(last)
    if len(kinds) > 1:
        return _joined(whole, fraction)
    if len(marks) > 1:
        return Decimal(_whole(number))
    if len(fraction) != _THOUSAND_DIGITS:
        return _joined(whole, fraction)
    if exponent_of(currency) == _THOUSAND_DIGITS and last == ".":
        return _joined(whole, fraction)
    # "1.234" is a thousand to one half of the world and hardly more than one to the other, save
    # where money has no decimals.
    if (last == "." and exponent_of(currency)) or not _GROUPED[last].fullmatch(number):
        raise ValueError("can be read in two ways: write it without a thousands mark")
    return Decimal(_whole(number))


def _joined(whole: str, fraction: str) -> Decimal:
    if not _PLAIN.fullmatch(fraction):
        raise ValueError(_NOT_A_PRICE)
    return Decimal(f"{_whole(whole)}.{fraction}")


def _whole(number: str) -> str:
    if _PLAIN.fullmatch(number):
        return number
    for mark, grouped in _GROUPED.items():
        if grouped.fullmatch(number):
            return number.replace(mark, "")
    raise ValueError(_NOT_A_PRICE)
