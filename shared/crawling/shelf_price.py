"""The price that a shelf label states, told apart from what else it states in money.

A label may hold the price before a reduction, a price per quantity, a saving, an offer for
several, and the cost of delivery. What can be read in two ways is refused.
"""

import re
import unicodedata
from decimal import Decimal
from typing import Final, Literal, NamedTuple

import msgspec

from shared.crawling.shelf_words import (
    AFTER,
    ALONE,
    AMBIGUOUS,
    BEFORE,
    EACH,
    LEADING,
    MEASURE,
    NO_LETTER,
    PER,
    PREFIXED,
    RANGE,
    SHARING,
    SIGN,
    SMALL_CENTS,
)
from shared.money import to_minor
from shared.products.price_text import parse_price

_MAX_LENGTH: Final = 300
_MEASURED: Final = rf"(?!\s*(?:{MEASURE})\b)"


def _number(name: str) -> str:
    """A number as shops group its digits; `name` keeps its group apart from another number's."""
    return (
        # Three by three with one mark, then lakh and crore, then without any.
        rf"(?:[0-9]{{1,3}}(?P<{name}>[ ,.'])[0-9]{{3}}(?:(?P={name})[0-9]{{3}})*"
        r"(?:[.,][0-9]{1,2})?"
        r"|[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}(?:\.[0-9]{1,2})?"
        r"|[0-9]+(?:[.,][0-9]{1,3})?)(?![0-9]|[.,'][0-9]|e[0-9])"
    )


_MONEY: Final = re.compile(
    rf"(?<![a-z0-9.,])(?P<before>{SIGN})(?:(?:(?<!{NO_LETTER})\.)?\s*(?P<left>{_number('first')})"
    rf"|(?<={NO_LETTER})\s*(?P<cents>\.[0-9]{{2}})(?![0-9]|[.,'][0-9])){_MEASURED}"
    # "$ 5 CAD" names the money twice; a code before a number begins the next amount.
    rf"(?:\s*(?P<both>{SHARING})\b(?!\.?\s*[0-9]))?"
    rf"|(?<![a-z0-9.,'])(?P<right>{_number('second')})\s*(?P<after>{SIGN})(?![a-z0-9])"
    # "6 Rs. 720.00": the sign belongs to the number that follows, unless that has one of its own.
    rf"(?!\.?\s*{_number('next')}(?!\s*(?:{SIGN}|{MEASURE})))\.?"
    r"|(?<![a-z0-9.,])(?P<hundredths>[0-9]{1,3})\s*(?P<small>p|¢)(?![a-z0-9])"
)
_SMALL: Final = {"p": "GBP", "¢": "USD"}
_BARE: Final = re.compile(rf"(?:{_number('bare')})\s*(?:/[-=])?\s*(?:{EACH})?")
_PER: Final = re.compile(PER)
_EACH: Final = re.compile(EACH)
_SMALL_DIGITS: Final = re.compile("[\u00b9\u00b2\u00b3\u2070-\u2079]+")

Kind = Literal["price", "was", "alone", "unit", "other", "range"]


class ShelfPrice(msgspec.Struct, frozen=True):
    """Amounts in minor units of `currency`; `unit` is the quantity that the unit price is for."""

    price_minor: int
    currency: str
    was_minor: int | None = None
    unit_price_minor: int | None = None
    unit: str | None = None


class _Money(NamedTuple):
    amount: Decimal
    currency: str
    kind: Kind
    unit: str | None


def read_shelf_price(text: str, currency: str, crossed: str = "") -> ShelfPrice:
    """What `text` states; `crossed` is the text that the page strikes out.

    Args:
        text: a label such as "Was Rs. 1,234.50 Now Rs. 999/- (Rs 120.00/100g)".
        currency: the retailer's own; it decides what a bare number and an ambiguous sign mean.
        crossed: a former price that markup, and not a word, tells apart.

    Raises:
        ValueError: no price is stated, or it can be read in two ways.
    """
    found = _moneys(_plain(text), currency)
    current = _current(found)
    was = next((each for each in found if each.kind == "was"), None)
    if crossed:
        was = next(iter(_moneys(_plain(crossed), currency)), was)
    elif was is None and current.kind == "price":
        was = next((each for each in found if each.kind == "alone"), None)
    unit = next((each for each in found if each.kind == "unit"), None)
    return ShelfPrice(
        price_minor=to_minor(current.amount, current.currency),
        currency=current.currency,
        was_minor=_minor(was, current.currency),
        unit_price_minor=_minor(unit, current.currency),
        unit=unit.unit if unit and _minor(unit, current.currency) is not None else None,
    )


def read_unit_price(text: str, currency: str) -> tuple[int, str] | None:
    """The price per quantity that `text` states, and the quantity; None where it states none."""
    for each in _moneys(_plain(text), currency):
        if each.kind == "unit" and each.unit and (minor := _minor(each, currency)) is not None:
            return minor, each.unit
    return None


def read_machine_price(value: object, currency: str) -> int:
    """Minor units of a price of structured data, whose decimal mark is the point.

    Raises ValueError for what is no price, holds more decimals than the currency knows, or names
    another currency.
    """
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise ValueError("is not a price")  # noqa: TRY004 - it came from a page
    text = str(value).strip()
    if re.fullmatch(r"[0-9]{1,15}(?:\.[0-9]{1,10})?", text):
        return to_minor(Decimal(text), currency)
    read = read_shelf_price(text, currency)
    if read.currency != currency:
        raise ValueError(f"is in {read.currency}, and not in {currency}")
    return read.price_minor


def _current(found: list[_Money]) -> _Money:
    if any(each.kind == "range" for each in found):
        raise ValueError("states a range of prices")
    for kind in ("price", "alone"):
        named = [each for each in found if each.kind == kind]
        if len({(each.amount, each.currency) for each in named}) > 1:
            raise ValueError("states more than one price")
        if named:
            return named[0]
    raise ValueError("states no price")


def _minor(money: _Money | None, currency: str) -> int | None:
    """Beside the price another amount is welcome, but not needed."""
    if money is None or money.currency != currency:
        return None
    try:
        return to_minor(money.amount, currency)
    except ValueError:
        return None


def _plain(text: str) -> str:
    if len(text) > _MAX_LENGTH:
        raise ValueError("is too long for a price")
    # Small digits are cents or a footnote's, and no part of the number before them.
    parted = _SMALL_DIGITS.sub(r" \g<0>", text)
    plain = unicodedata.normalize("NFKC", parted).replace("\u2019", "'").replace("\u2212", "-")
    return " ".join(plain.replace("\u2013", "-").replace("\u2014", "-").split()).casefold()


def _moneys(text: str, currency: str) -> list[_Money]:
    if _BARE.fullmatch(text):
        amount, _ = parse_price(text, currency)
        return [_Money(amount, currency, "price", None)]
    matches = list(_MONEY.finditer(text))
    ends = [0, *(match.end() for match in matches)]
    starts = [*(match.start() for match in matches[1:]), len(text)]
    return [
        _money(match, text[end : match.start()], text[match.end() : start], currency)
        for match, end, start in zip(matches, ends, starts, strict=False)
    ]


def _money(match: re.Match[str], before: str, after: str, currency: str) -> _Money:
    if _in_two_ways(match, before, after):
        raise ValueError("can be read in two ways: one number or two")
    amount, stated = _amount(match, currency)
    kind, unit = _kind(before, after, first=before == match.string[: match.start()])
    return _Money(amount, stated, kind, unit)


def _in_two_ways(match: re.Match[str], before: str, after: str) -> bool:
    """Whether a number beside the amount may be a part of it, or a part of it another number."""
    if match["left"]:
        whole = not re.search(r"[.,][0-9]{1,2}$", match["left"])
        return whole and not match["both"] and bool(re.match(SMALL_CENTS, after))
    if match["right"]:
        cents = re.fullmatch(r"[0-9]{2}", match["right"]) and re.search(r"[0-9]\s+$", before)
        return bool(cents) or (match["second"] == " " and not re.search(LEADING, before))
    return False


def _amount(match: re.Match[str], currency: str) -> tuple[Decimal, str]:
    if match["hundredths"]:
        return Decimal(match["hundredths"]).scaleb(-2), _SMALL[match["small"]]
    sign = match["before"] or match["after"]
    meant = AMBIGUOUS.get(sign, ())
    if currency in meant:
        stated: str | None = currency
    else:
        stated = PREFIXED.get(sign) or parse_price(f"1 {sign}")[1]
    if match["both"] and match["both"].upper() in meant:
        stated = match["both"].upper()
    number = match["left"] or match["right"] or f"0{match['cents']}"
    amount, _ = parse_price(number, stated)
    return amount, stated or currency


def _kind(before: str, after: str, *, first: bool) -> tuple[Kind, str | None]:
    """The words on both sides decide; those before an amount begin where the last amount ends."""
    if (per := _PER.match(after)) and not _EACH.match(after):
        return "unit", f"{per['count'] or ''}{per['measure']}"
    for kind, words in AFTER.items():
        if re.match(words, after):
            return kind, None
    if not first and re.fullmatch(RANGE, before):
        return "range", None
    if re.search(r"(?:^|[^a-z ])\s*-\s*$", before):
        return "other", None
    said = [(m.end(), kind) for kind, words in BEFORE.items() for m in re.finditer(words, before)]
    if said:
        return max(said)[1], None
    return ("alone" if re.search(ALONE, before) else "price"), None
