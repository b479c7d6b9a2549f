"""Money as integer minor units with a currency; decimals only at the edge."""

from decimal import Decimal, InvalidOperation
from typing import Final

DEFAULT_CURRENCY: Final = "LKR"

# ISO 4217: the currencies that do not have two decimals, of those that retailers price in.
_EXPONENTS: Final = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "BHD": 3, "KWD": 3, "OMR": 3}
MAX_PRICE_MINOR: Final = 10**13


def exponent_of(currency: str) -> int:
    """How many decimals `currency` has (ISO 4217), two unless known otherwise."""
    return _EXPONENTS.get(currency, 2)


def to_minor(amount: Decimal, currency: str) -> int:
    """`amount` in minor units; raises ValueError if it is negative, too large or too fine."""
    try:
        scaled = amount.scaleb(exponent_of(currency))
        minor = int(scaled)
    except (InvalidOperation, OverflowError, ValueError):
        raise ValueError("must be a plain number") from None
    if scaled != minor:
        raise ValueError(f"has more decimals than {currency} knows")
    if minor < 0:
        raise ValueError("must not be negative")
    if minor > MAX_PRICE_MINOR:
        raise ValueError("is too large")
    return minor


def to_decimal(minor: int, currency: str) -> Decimal:
    """Minor units as a decimal with the currency's own number of decimals."""
    return Decimal(minor).scaleb(-exponent_of(currency))
