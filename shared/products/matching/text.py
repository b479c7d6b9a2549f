"""Names made comparable: one spelling per word, words apart from sizes."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from shared.products.letters import without_latin_accents

# Joiners inside Sinhala words (category Cf) are typed by some and left out by others; quotes are
# dropped too, so that "Nature's" is one word and the Hebrew \u05e7"\u05d2 one unit.
_JOINING: Final = frozenset("'`\"\u00b4\u2018\u2019\u02bc\u05f3\u05f4\u201c\u201d")
_ASCII_JOINING: Final = {ord(mark): None for mark in "'`\""}
_ASCII_POINT: Final = re.compile(r"(?<!\d)\.|\.(?!\d)")
_ASCII_SPACE: Final = {c: " " for c in range(128) if not (chr(c).isalnum() or chr(c) == ".")}
_THOUSANDS: Final = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_DECIMAL_COMMA: Final = re.compile(r"(?<=\d),(?=\d{1,2}(?!\d))")
_SPACES: Final = re.compile(r"\s+")
# One product is compared with many, and each comparison folds the same few texts again.
REMEMBERED: Final = 16_384
WORDS: Final = 65_536


@lru_cache(maxsize=REMEMBERED)
def fold(text: str) -> str:
    """`text` in one case and one way of writing numbers, with its punctuation between words."""
    if text.isascii():
        plain = fold_plain(text)
        return _DECIMAL_COMMA.sub(".", _THOUSANDS.sub("", plain)) if "," in plain else plain
    folded = unicodedata.normalize("NFKC", text).casefold().replace("\u2044", "/")
    kept = "".join(c for c in folded if c not in _JOINING and unicodedata.category(c) != "Cf")
    return _DECIMAL_COMMA.sub(".", _THOUSANDS.sub("", kept))


def fold_plain(text: str) -> str:
    """`fold` of a text in ASCII without commas."""
    return text.casefold().translate(_ASCII_JOINING)


def spaced_plain(folded: str, kept: str) -> str:
    """A folded text in ASCII with spaces for its punctuation, but for the character `kept`."""
    plain = _ASCII_POINT.sub(" ", folded) if "." in folded else folded
    return plain.translate({**_ASCII_SPACE, ord(kept): kept})


@lru_cache(maxsize=REMEMBERED)
def normalise(text: str) -> str:
    """`text` folded, without Latin accents and with punctuation turned into single spaces."""
    folded = fold(text)
    if folded.isascii():
        plain = _ASCII_POINT.sub(" ", folded) if "." in folded else folded
        return " ".join(plain.translate(_ASCII_SPACE).split())
    # Accents last: one that stood on what is no letter stands on a space then, and goes.
    words = without_latin_accents("".join(_kept(folded, at) for at in range(len(folded))))
    return _SPACES.sub(" ", words).strip()


def tokens(text: str) -> tuple[str, ...]:
    """The words of `text` after normalising, in their order."""
    return tuple(normalise(text).split())


def _kept(text: str, at: int) -> str:
    character = text[at]
    # Marks stay: without its vowel signs a Sinhala or Tamil word is another word.
    if unicodedata.category(character)[0] in "LNM":
        return character
    if character == "." and text[at - 1 : at].isdigit() and text[at + 1 : at + 2].isdigit():
        return "."
    return " "


@lru_cache(maxsize=WORDS)
def canonical(token: str) -> str:
    """`token` without a plain plural ending, so that "chips" and "chip" agree."""
    plural = token.isascii() and len(token) > 3 and token[-1] in "sz" and token[-2] not in "sui"  # noqa: PLR2004
    return token[:-1] if plural else token
