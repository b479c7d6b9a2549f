"""One cell of an upload: cleaned text, exact amounts, checked links."""

import re
import unicodedata
from decimal import Decimal
from typing import Final
from urllib.parse import urlsplit

_MAX_DIGITS: Final = 28
# Overrides of the writing direction make a text show something else than it says.
_INVISIBLE: Final = frozenset(
    "\ufeff\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_BLANKS: Final = re.compile(r"\s+")
_LINE_BLANKS: Final = re.compile(r"[^\S\n]+")


def cell_text(value: object, *, lines: bool = False) -> str:
    """`value` as clean text, NFC and trimmed; line breaks stay only with `lines`.

    Raises:
        ValueError: the value is a list, an object or a truth value.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return _clean(value, lines=lines)
    return f"{amount_of(value):f}"


def amount_of(value: object) -> Decimal:
    """An `int` or `Decimal` as an exact amount of a size that arithmetic can hold.

    Raises:
        ValueError: the value is no number, not finite, or longer than any price.
    """
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("must be text or a number")  # noqa: TRY004 - refused input, not a bug
    amount = Decimal(value)
    if not amount.is_finite():
        raise ValueError("must be a plain number")
    _, digits, exponent = amount.as_tuple()
    # An exponent of a million would be spelt out digit by digit further on.
    if len(digits) > _MAX_DIGITS or abs(int(exponent)) > _MAX_DIGITS:
        raise ValueError("has too many digits")
    return amount


def check_link(text: str) -> None:
    """Refuses what is not an absolute http or https address.

    Raises:
        ValueError: says what is wrong.
    """
    try:
        parts = urlsplit(text)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        named = False
    if not named or parts.scheme not in ("http", "https") or " " in text:
        raise ValueError("must be an http or https address")
    if parts.username is not None:
        raise ValueError("must not hold a user name")


def _clean(text: str, *, lines: bool) -> str:
    kept = "".join(map(_visible, text.replace("\r\n", "\n")))
    normal = unicodedata.normalize("NFC", kept)
    if lines:
        return _LINE_BLANKS.sub(" ", normal).strip()
    return _BLANKS.sub(" ", normal).strip()


def _visible(character: str) -> str:
    if character in _INVISIBLE:
        return ""
    if character.isprintable() or character.isspace():
        # These four count as space in Python, yet they are control characters.
        return "" if "\x1c" <= character <= "\x1f" else character
    # Format characters join letters in several scripts; controls and half characters mean nothing.
    return "" if unicodedata.category(character) in ("Cc", "Cs") else character
