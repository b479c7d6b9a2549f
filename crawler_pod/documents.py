"""A page's bytes as a tree, with what the page says of itself."""

import codecs
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler_pod.addresses import host, joined, normal, origin
from shared.crawling.selectors import split

_CHARSET: Final = re.compile(r"charset=[\"']?([\w.:-]+)", re.IGNORECASE)
_META_CHARSET: Final = re.compile(rb"<meta[^>]{0,200}?charset=[\"']?([\w.:-]+)", re.IGNORECASE)
# Others are no encodings of pages, and some of them take a time that grows with the square.
_ENCODINGS: Final = re.compile(
    r"utf-8(?:-sig)?|utf-16(?:-[bl]e)?|ascii|iso8859-[0-9]+|cp125[0-9]|cp(?:874|932|949)|koi8-[ru]"
    r"|gbk|gb2312|gb18030|big5|big5hkscs|euc_jp|euc_kr|shift_jis|iso2022_jp|mac-roman|tis-620"
)
_LOOKED_AT_BYTES: Final = 2048
# More on one page is no list for people, and would keep every other page waiting.
MOST_LINKS: Final = 5_000
_HTML: Final = ("text/html", "application/xhtml+xml")


class Document:
    """One page: its tree, and the address that it gives itself."""

    def __init__(self, url: str, text: str) -> None:
        self.tree = LexborHTMLParser(text)
        self._source = text.lower()
        base = self.tree.css_first("base[href]") if self.mentions("<base") else None
        self._base = url if base is None else joined(url, _attribute(base, "href") or "") or url
        self.own = normal(url)
        self.canonical = self._canonical()

    def mentions(self, word: str) -> bool:
        """Whether the page's source holds `word`, in whatever case.

        Names of tags and attributes stand there as they are, and to look for them here is
        faster than to walk through the tree in vain.
        """
        return word in self._source

    def _canonical(self) -> str:
        """The address that the page gives itself, where that can be true.

        Some shops name another site, or their home page on each of their pages.
        """
        link = self.tree.css_first("link[rel=canonical]")
        stated = self.absolute(_attribute(link, "href") or "") if link is not None else None
        if stated is None or host(stated) != host(self.own) or _is_home(stated):
            return self.own
        return stated

    def absolute(self, link: str) -> str | None:
        """Where a link on this page leads, None if to no page."""
        return joined(self._base, link)

    def links(self, selector: str) -> list[str]:
        """The addresses of the elements that `selector` finds, or of their `@attribute`."""
        css, name = split(selector)
        nodes = self.tree.css(css)[:MOST_LINKS]
        found = (_attribute(node, name or "href") for node in nodes)
        return [url for link in found if link and (url := self.absolute(link))]


def _is_home(url: str) -> bool:
    return url == f"{origin(url)}/"


def _attribute(node: LexborNode, name: str) -> str | None:
    return node.attributes.get(name)


def is_html(headers: Mapping[str, str]) -> bool:
    """Whether an answer is a page; one that does not say what it is counts as one."""
    return headers.get("content-type", _HTML[0]).partition(";")[0].strip().lower() in _HTML


def decoded(body: bytes, headers: Mapping[str, str]) -> str:
    """The text of a page: as its header says, else as the page itself says, else UTF-8."""
    if body.startswith(b"\xef\xbb\xbf"):
        return body.decode("utf-8", "replace").removeprefix("\ufeff")
    if said := _CHARSET.search(headers.get("content-type", "")):
        return body.decode(_encoding(said[1]), "replace")
    written = _META_CHARSET.search(body[:_LOOKED_AT_BYTES])
    return body.decode(_encoding(written[1].decode("ascii") if written else "utf-8"), "replace")


@lru_cache(maxsize=64)
def _encoding(name: str) -> str:
    try:
        known = codecs.lookup(name).name
    except (LookupError, ValueError):
        return "utf-8"
    return known if _ENCODINGS.fullmatch(known) else "utf-8"
