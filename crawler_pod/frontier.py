"""The pages that a crawl knows of, each once, and which of them it has not yet asked for."""

from collections import deque
from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

from crawler_pod.addresses import host

Role = Literal["list", "product"]

# A start page may lead on without showing a product, and a list may repeat another's; a calendar
# leads on for ever.
MOST_BARREN: Final = 3
# So that a crawl that runs out of time has more to show than lists.
_LISTS_FOR_A_PRODUCT: Final = 5


class Target(NamedTuple):
    """A page to ask for, and what it is expected to be.

    `barren` counts the lists in a row that led here and held nothing new.
    """

    url: str
    role: Role
    barren: int = 0


class Frontier:
    """Mostly lists before products: how much there is becomes known early."""

    def __init__(self, starts: Iterable[str], most_pages: int) -> None:
        starts = list(starts)
        self.hosts = frozenset(map(host, starts))
        self._most_pages = most_pages
        self._known: set[str] = set()
        self._lists: deque[Target] = deque()
        self._products: deque[Target] = deque()
        self._lists_in_a_row = 0
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

    def add(self, role: Role, urls: Iterable[str], barren: int = 0) -> int:
        """Takes in the pages of this site that are new, up to the crawl's bound; how many."""
        queue = self._lists if role == "list" else self._products
        before = len(self._known)
        for url in urls:
            if url in self._known or host(url) not in self.hosts:
                continue
            if len(self._known) >= self._most_pages:
                self.cut = True
                break
            self._known.add(url)
            queue.append(Target(url, role, barren))
        return len(self._known) - before

    def take(self) -> Target | None:
        """The next page, None if there is none at the moment."""
        due = self._lists_in_a_row >= _LISTS_FOR_A_PRODUCT and self._products
        if self._lists and not due:
            self._lists_in_a_row += 1
            return self._lists.popleft()
        self._lists_in_a_row = 0
        return self._products.popleft() if self._products else None
