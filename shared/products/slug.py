"""Names as identifiers."""

import unicodedata
from typing import Final

from shared.products.letters import without_latin_accents

_APOSTROPHES: Final = frozenset("'`\u2018\u2019\u02bc\u05f3\u05f4")


def slug(text: str) -> str:
    """`text` in lower-case letters and digits with hyphens; empty if it has neither.

    Letters of other scripts stay as they are: a transcription would be a guess, and a retailer
    known by a Hebrew or Sinhala name must not lose it.
    """
    folded = without_latin_accents(unicodedata.normalize("NFKC", text).casefold())
    words = "".join(map(_kept, folded)).split()
    return "-".join(words) if any(map(str.isalnum, words)) else ""


def _kept(character: str) -> str:
    category = unicodedata.category(character)
    if character in _APOSTROPHES or category == "Cf":
        return ""
    return character if category[0] in "LMN" else " "
