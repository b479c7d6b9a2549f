"""Microdata as the same dictionaries that JSON-LD holds."""

from collections.abc import Iterator
from typing import Any, Final

from selectolax.lexbor import LexborNode

from crawler_pod.documents import Document

_LINKS: Final = {
    "a": "href",
    "link": "href",
    "area": "href",
    "img": "src",
    "source": "src",
    "embed": "src",
    "iframe": "src",
    "object": "data",
    "data": "value",
    "meter": "value",
    "time": "datetime",
    "meta": "content",
}
_DEEPEST: Final = 8
_MOST_OFFERS: Final = 100


def microdata(document: Document) -> Iterator[dict[str, Any]]:
    """Every product that the page marks up, each with its offers."""
    if not document.mentions("itemscope"):
        return
    for node in document.tree.css("[itemscope][itemtype]"):
        if _type(node) == "Product":
            found = _item(node, 0)
            if "offers" in found:
                yield found


def _type(node: LexborNode) -> str:
    return (node.attributes.get("itemtype") or "").strip().rstrip("/").rpartition("/")[2]


def _item(scope: LexborNode, depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {"@type": _type(scope)}
    for child in scope.iter(include_text=False):
        _properties(child, found, depth)
    return found


def _properties(node: LexborNode, found: dict[str, Any], depth: int) -> None:
    """Puts what `node` and its descendants state into `found`, up to where another item begins."""
    names = (node.attributes.get("itemprop") or "").split()
    inner = "itemscope" in node.attributes
    if names and depth < _DEEPEST:
        value = _item(node, depth + 1) if inner else _value(node)
        for name in names:
            # The first counts, save that a product may have several offers.
            if name == "offers" and name in found:
                _offered_too(found, value)
            else:
                found.setdefault(name, value)
    if not inner:
        for child in node.iter(include_text=False):
            _properties(child, found, depth)


def _offered_too(found: dict[str, Any], value: Any) -> None:
    if not isinstance(found["offers"], list):
        found["offers"] = [found["offers"]]
    if len(found["offers"]) < _MOST_OFFERS:
        found["offers"].append(value)


def _value(node: LexborNode) -> str:
    # Stated for machines beside what is shown, whatever the element.
    if (content := node.attributes.get("content")) is not None:
        return content
    name = _LINKS.get(node.tag or "")
    if name and (value := node.attributes.get(name)) is not None:
        return value
    return node.text(deep=True, separator=" ", strip=True)
