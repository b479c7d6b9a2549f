"""What several ways of folding text have in common."""

import unicodedata
from typing import Final

_LATIN_END: Final = 0x250


def without_latin_accents(text: str) -> str:
    """`text` in NFC with its Latin letters bare; the marks of other scripts carry meaning."""
    if text.isascii():
        return text
    kept: list[str] = []
    for character in unicodedata.normalize("NFD", text):
        accent = unicodedata.category(character) == "Mn"
        if not (accent and kept and ord(kept[-1]) < _LATIN_END):
            kept.append(character)
    return unicodedata.normalize("NFC", "".join(kept))
