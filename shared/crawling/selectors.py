"""Selectors as recipes write them: `selector`, or `selector@attribute`."""

import re
from typing import Final

_ATTRIBUTE: Final = re.compile(r"[A-Za-z_:][\w:.-]*")


def split(selector: str) -> tuple[str, str]:
    """The CSS and the attribute, which is empty where the element's text is meant."""
    css, mark, attribute = selector.rpartition("@")
    return (css, attribute) if mark else (selector, "")


def trouble(selector: str) -> str | None:
    """What is wrong with a selector, by the parser that the pods use; None if nothing is."""
    # Only whoever saves a recipe needs it here.
    from selectolax.lexbor import LexborHTMLParser, SelectolaxError

    css, attribute = split(selector)
    if attribute and not _ATTRIBUTE.fullmatch(attribute):
        return f"names no attribute behind its last @: {attribute!r}"
    if selector.endswith("@"):
        return "names no attribute behind its last @"
    try:
        LexborHTMLParser("").css_first(css)
    except SelectolaxError:
        return f"cannot be parsed as a CSS selector: {css!r}"
    return None
