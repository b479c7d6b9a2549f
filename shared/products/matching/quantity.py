"""Sizes and units: "0.4 kg", "400G" and "4x100 g" are one quantity."""

import re
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Final, Literal

import msgspec

from shared.products.matching.text import REMEMBERED, WORDS, fold

Dimension = Literal["g", "ml", "count"]

_UNITS: Final[dict[tuple[Dimension, str], str]] = {
    ("g", "1"): "g gm gms gr grs grm grms gram grams gramme grammes ג גר גרם ග්රෑ ග්රෑම් கிராம்",
    ("g", "1000"): "kg kgs kilo kilos kilogram kilograms קג קילו קילוגרם කිග්රෑ කිලෝ கிலோ கிகி",
    ("g", "0.001"): "mg",
    ("g", "28.35"): "oz",
    ("g", "453.6"): "lb lbs",
    ("ml", "1"): "ml mls millilitre millilitres milliliter milliliters מל מיליליטר මිලි මිලී மிலி",
    ("ml", "10"): "cl",
    ("ml", "1000"): "l lt ltr ltrs litre litres liter liters ל ליטר ලීටර් லிட்டர்",
    ("count", "1"): (
        "s pc pcs piece pieces pk pks pack packs nos unit units ea each bag bags tbags sachet"
        " sachets tablet tablets tabs capsule capsules roll rolls יח יחידה יחידות"
    ),
}
_BY_NAME: Final[dict[str, tuple[Dimension, Decimal]]] = {
    name: (dimension, Decimal(factor))
    for (dimension, factor), names in _UNITS.items()
    for name in names.split()
}
MEASURES: Final = (
    *("gb", "tb", "mb", "kb", "mp", "megapixel", "inch", "in", "cm", "mm", "watt", "kw", "w"),
    *("volt", "v", "mhz", "ghz", "hz", "rpm", "mah", "ft", "db", "bit", "ch"),
)
"""Units of what is not sold by them, the longer before its beginning."""
# "6 mlx4" is what "6 ml x 4" is.
_PARTS: Final = frozenset({*_BY_NAME, *(f"{unit}x" for unit in _BY_NAME), *MEASURES, "x"})
_UNIT: Final = "|".join(sorted(map(re.escape, _BY_NAME), key=len, reverse=True))
_DIGIT: Final = re.compile(r"\d")
_NUMBER: Final = r"\d{1,6}(?:\.\d{1,3})?"
_TIMES: Final = r"\s*[x×*]\s*"  # noqa: RUF001 - shops do write the multiplication sign
# A unit ends where its letters (and Indic vowel signs) end; a number is no part of a longer one.
_QUANTITY: Final = re.compile(
    rf"(?<![\d./])(?:(?P<half>1/[248])|(?:(?P<packs>\d{{1,3}}){_TIMES})?(?P<number>{_NUMBER}))"
    rf"\s?(?P<unit>{_UNIT})(?={_TIMES}\d|[^\w\u0b82-\u0bff\u0d80-\u0dff]|\d|_|$)"
    rf"(?:{_TIMES}(?P<times>\d{{1,3}})(?![\d.]))?"
)


class Quantity(msgspec.Struct, frozen=True):
    """How much is sold: `value` in grams, millilitres or pieces."""

    value: Decimal
    dimension: Dimension

    def __str__(self) -> str:
        number = f"{self.value.normalize():f}"
        return f"{number} pcs" if self.dimension == "count" else f"{number} {self.dimension}"


@lru_cache(maxsize=8192)
def quantity(text: str) -> Quantity | None:
    """The size that a name or a size field states; a weight or volume goes before a count."""
    return quantity_in(runs(fold(text).split(" ")))


def quantity_in(parts: Iterable[str]) -> Quantity | None:
    """The size that the `runs` of a folded text state."""
    found = [q for part in parts for q in _quantities(part)]
    return next((q for q in found if q.dimension != "count"), found[0] if found else None)


def is_quantity(text: str) -> bool:
    """Whether a folded text is a size and nothing else."""
    return _QUANTITY.fullmatch(text) is not None


@lru_cache(maxsize=WORDS)
def stands_alone(word: str) -> bool:
    """Whether a folded word can be no part of a size or measure, whatever stands beside it."""
    return word.isalpha() and word not in _PARTS


def runs(words: Sequence[str]) -> list[str]:
    """The words between those that stand alone, run by run; the same few sizes on most names."""
    found: list[list[str]] = []
    before = -2
    for at, word in enumerate(words):
        if not stands_alone(word):
            if before == at - 1:
                found[-1].append(word)
            else:
                found.append([word])
            before = at
    return list(map(" ".join, found))


@lru_cache(maxsize=REMEMBERED)
def _quantities(part: str) -> tuple[Quantity, ...]:
    return tuple(q for q in map(_read, _QUANTITY.finditer(part)) if q is not None)


def measured(plain: str) -> str:
    """`plain`, a folded text, with each size in one unit: "0.4 kg" is "400g"."""
    return from_first_digit(_QUANTITY, _one_spelling, plain)


def from_first_digit(
    pattern: re.Pattern[str], written: Callable[[re.Match[str]], str], text: str
) -> str:
    """`text` with the matches of a pattern replaced that begins with a digit.

    Sizes stand at the end of most names, and what is before them need not be searched.
    """
    digit = _DIGIT.search(text)
    if digit is None:
        return text
    # The pattern may look one character back.
    start = max(0, digit.start() - 1)
    return text[:start] + pattern.sub(written, text[start:])


def without_quantity(text: str) -> str:
    """`text` with its sizes blanked out."""
    return _QUANTITY.sub(" ", fold(text))


def _one_spelling(match: re.Match[str]) -> str:
    found = _read(match)
    return _written(found) if found else match[0]


@lru_cache(maxsize=8192)
def _written(found: Quantity) -> str:
    return f" {str(found).replace(' ', '')} "


def _read(match: re.Match[str]) -> Quantity | None:
    return _stated(*match.group("half", "packs", "number", "unit", "times"))


@lru_cache(maxsize=8192)
def _stated(half: str, packs: str, number: str, unit: str, times: str) -> Quantity | None:
    dimension, factor = _BY_NAME[unit]
    value = 1 / Decimal(half[2:]) if half else Decimal(number)
    value *= int(packs or 1) * int(times or 1)
    return Quantity(value * factor, dimension) if value else None
