"""The terms of a text: words, numbers, measures and model codes, each in one spelling."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final

from shared.products.matching.quantity import (
    MEASURES,
    from_first_digit,
    is_quantity,
    measured,
    runs,
    stands_alone,
)
from shared.products.matching.text import REMEMBERED, WORDS, canonical, fold, normalise

# Shops that write without spaces do so where a script meets a digit; model codes are Latin.
_SCRIPT_EDGE: Final = re.compile(r"(?<=[^\W\d_a-z])(?=\d)|(?<=\d)(?=[^\W\d_a-z])")
_SAME_UNIT: Final = {"inch": "in", "watt": "w", "volt": "v", "megapixel": "mp"}
_UNIT: Final = "|".join(MEASURES)
_SPACED_MEASURE: Final = re.compile(rf"(?<![\w.])(\d+(?:\.\d+)?) ?({_UNIT})(?!\w)")
_MEASURE: Final = re.compile(rf"\d+(?:\.\d+)?(?:g|ml|pcs|p|k|x|{_UNIT})")
_WITH_DIGIT: Final = re.compile(r"\S*\d\S*")
_NO_CODE_CHARACTER: Final = re.compile(r"[^a-z0-9]+")
_AROUND: Final = "()[].,;:"
_TO_LAST_DIGIT: Final = re.compile(r"^.*\d")
# What a shop writes before the size in a code, such as the UE of a Samsung UE40NU7120.
_BEFORE_FIRST_DIGIT: Final = re.compile(r"^[a-z]{1,4}(?=\d)")
_CODE_LENGTH: Final = 4
_CORE_LENGTH: Final = 5
_CODE_DIGITS: Final = 5

BETWEEN: Final = "\0"
"""Ends a text among others: neither a space nor part of a word or number."""
WORD: Final = 0
NUMBER: Final = 1
CODE: Final = 2


@lru_cache(maxsize=REMEMBERED)
def terms(text: str) -> tuple[str, ...]:
    """The terms of `text` in their order, with repetitions."""
    return tuple(terms_of(normalise(text).split()))


def terms_of(words: Sequence[str]) -> list[str]:
    """The terms of a normalised text's words."""
    return next(terms_of_each([*words, BETWEEN]))


def terms_of_each(words: Sequence[str]) -> Iterator[list[str]]:
    """The terms of many normalised texts, of which BETWEEN ends each."""
    alone = list(map(_alone, words))
    found: list[str] = []
    start, many = 0, len(words)
    while start < many:
        # The next word that does not stand alone; BETWEEN is one.
        at = alone.index("", start)
        found += alone[start:at]
        start = at
        while words[start] != BETWEEN and not alone[start]:
            start += 1
        if start > at:
            found += _measured(" ".join(words[at:start]))
        if words[start] == BETWEEN:
            yield found
            found = []
            start += 1


@lru_cache(maxsize=REMEMBERED)
def codes(text: str) -> tuple[str, ...]:
    """The model codes and article numbers of `text`, each once and without punctuation."""
    return codes_of(runs(fold(text).split(" ")))


def codes_of(parts: Iterable[str]) -> tuple[str, ...]:
    """The codes in the `runs` of a folded text."""
    return tuple(dict.fromkeys(code for part in parts for code in _codes(part)))


def stem(code: str) -> str:
    """`core` of a code up to its last digit: behind it shops write a colour or a country."""
    match = _TO_LAST_DIGIT.match(code)
    return core(match[0] if match and kind(match[0]) == CODE else code)


@lru_cache(maxsize=REMEMBERED)
def core(code: str) -> str:
    """`code` from its first digit on, if there is a letter between its digits: "40nu7120"."""
    rest = _BEFORE_FIRST_DIGIT.sub("", code)
    match = _TO_LAST_DIGIT.match(rest)
    long = match and len(match[0]) >= _CORE_LENGTH and not match[0].isdigit()
    return rest if long and kind(rest) == CODE else code


@lru_cache(maxsize=REMEMBERED)
def kind(term: str) -> int:
    """WORD; NUMBER for a number, with or without a unit; CODE for a model or article number."""
    if not term or term.isalpha():
        return WORD
    digits = sum(map(str.isdigit, term))
    if _MEASURE.fullmatch(term):
        return NUMBER
    if digits >= _CODE_DIGITS or (len(term) >= _CODE_LENGTH and 0 < digits < len(term)):
        return WORD if not digits else NUMBER if "." in term else CODE
    return NUMBER if term.replace(".", "").isdigit() else WORD


@lru_cache(maxsize=WORDS)
def _alone(word: str) -> str:
    return canonical(word) if stands_alone(word) else ""


@lru_cache(maxsize=REMEMBERED)
def _measured(run: str) -> tuple[str, ...]:
    if not run.isascii():
        run = _SCRIPT_EDGE.sub(" ", run)
    return tuple(map(_spelt, from_first_digit(_SPACED_MEASURE, _joined, measured(run)).split()))


@lru_cache(maxsize=REMEMBERED)
def _codes(run: str) -> tuple[str, ...]:
    # Without its point "1.25kg" would read as one.
    chunks = (chunk for chunk in _WITH_DIGIT.findall(run) if not is_quantity(chunk.strip(_AROUND)))
    written = (_NO_CODE_CHARACTER.sub("", chunk) for chunk in chunks)
    return tuple(code for code in written if kind(code) == CODE)


def _joined(match: re.Match[str]) -> str:
    return f"{_shortest(match[1])}{_SAME_UNIT.get(match[2], match[2])}"


def _spelt(term: str) -> str:
    return _shortest(term) if "." in term else canonical(term)


def _shortest(number: str) -> str:
    whole, _, rest = number.partition(".")
    rest = rest.rstrip("0") if rest.isdigit() else rest
    return f"{whole}.{rest}" if rest else whole
