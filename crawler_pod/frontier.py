"""The pages that a crawl knows of, each once, and which of them it has not yet asked for."""

from collections import deque
from collections.abc import Iterable
from typing import Literal, NamedTuple

from crawler_pod.addresses import host

Role = Literal["list", "product"]


class Target(NamedTuple):
    """A page to ask for, and what it is expected to be."""

    url: str
    role: Role


class Frontier:
    """Lists before products: how much there is becomes known early."""

    def __init__(self, starts: Iterable[str], most_pages: int) -> None:
        starts = list(starts)
        self.hosts = frozenset(map(host, starts))
        self._most_pages = most_pages
        self._known: set[str] = set()
        self._lists: deque[str] = deque()
        self._products: deque[str] = deque()
        self.cut = False
        self.add("list", starts)

    @property
    def known(self) -> int:
        """How many pages were or will be asked for."""
        return len(self._known)

    @property
    def lists_left(self) -> int:
        """How many pages may still lead to further ones."""
        return len(self._lists)

    def add(self, role: Role, urls: Iterable[str]) -> None:
        """Takes in the pages of this site that are new, up to the crawl's bound."""
        queue = self._lists if role == "list" else self._products
        for url in urls:
            if url in self._known or host(url) not in self.hosts:
                continue
            if len(self._known) >= self._most_pages:
                self.cut = True
                return
            self._known.add(url)
            queue.append(url)

    def take(self) -> Target | None:
        """The next page, None if there is none at the moment."""
        if self._lists:
            return Target(self._lists.popleft(), "list")
        if self._products:
            return Target(self._products.popleft(), "product")
        return None
