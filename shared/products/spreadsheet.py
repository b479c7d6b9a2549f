"""CSV that a spreadsheet opens as data and never as formulas."""

import re
from collections.abc import Iterable
from typing import Final

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\N{FULLWIDTH EQUALS SIGN}")
_NUMBER: Final = re.compile(r"-[0-9]+(?:\.[0-9]+)?")
_QUOTED: Final = re.compile('[",\r\n]')


def safe_cell(text: str) -> str:
    """`text` with an apostrophe in front if a spreadsheet would calculate it."""
    if text.startswith(_FORMULA_STARTS) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def csv_line(values: Iterable[object]) -> str:
    """One record of formula-safe CSV, ended by CR LF (RFC 4180); None is an empty cell."""
    return ",".join(map(_cell, values)) + "\r\n"


def _cell(value: object) -> str:
    text = "" if value is None else safe_cell(str(value))
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text
