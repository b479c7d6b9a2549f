"""Money as integer minor units with a currency; decimals only at the edge."""

from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, DecimalTuple
from typing import Final

DEFAULT_CURRENCY: Final = "LKR"

# ISO 4217: the currencies that do not have two decimals, of those that retailers price in.
_EXPONENTS: Final = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "BHD": 3, "KWD": 3, "OMR": 3}
MAX_PRICE_MINOR: Final = 10**13
_MOST_DIGITS: Final = 13
# As many characters are enough for any number that a machine works out.
_MOST_CHARACTERS: Final = 20
_EXACT: Final = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)


def exponent_of(currency: str) -> int:
    """How many decimals `currency` has (ISO 4217), two unless known otherwise."""
    return _EXPONENTS.get(currency, 2)


def to_minor(amount: Decimal, currency: str) -> int:
    """`amount` in minor units; raises ValueError if it is negative, too large or too fine."""
    _check_plain(amount)
    exponent = exponent_of(currency)
    # Looked at before any arithmetic, which would take seconds over 1e100000.
    if amount and amount.adjusted() + exponent > _MOST_DIGITS:
        raise ValueError("is too large")
    digits = amount.as_tuple()
    if amount and _finest(digits) < -exponent:
        raise ValueError(f"has more decimals than {currency} knows")
    minor = int(amount.scaleb(exponent, _EXACT)) if amount else 0
    if minor > MAX_PRICE_MINOR:
        raise ValueError("is too large")
    return minor


def check_without_currency(amount: Decimal) -> None:
    """Raises ValueError where `amount` is no price in any currency: what `to_minor` refuses.

    As many decimals are fine as fit into twenty characters.
    """
    _check_plain(amount)
    if amount.adjusted() > _MOST_DIGITS:
        raise ValueError("is too large")
    if int(amount.as_tuple().exponent) < -_MOST_CHARACTERS or len(str(amount)) > _MOST_CHARACTERS:
        raise ValueError("has more decimals than a price")


def of_text(text: str) -> Decimal | None:
    """The amount that was stored as text without a currency, None where it is none."""
    try:
        amount = Decimal(text)
        check_without_currency(amount)
    except (ArithmeticError, ValueError):
        return None
    return amount


def _check_plain(amount: Decimal) -> None:
    if not amount.is_finite():
        raise ValueError("must be a plain number")
    if amount < 0:
        raise ValueError("must not be negative")


def _finest(amount: DecimalTuple) -> int:
    """The exponent of the last digit that is not zero; the amount must be finite and not zero."""
    zeros = len(amount.digits) - len("".join(map(str, amount.digits)).rstrip("0"))
    return int(amount.exponent) + zeros


def to_decimal(minor: int, currency: str) -> Decimal:
    """Minor units as a decimal with the currency's own number of decimals."""
    return Decimal(minor).scaleb(-exponent_of(currency))
