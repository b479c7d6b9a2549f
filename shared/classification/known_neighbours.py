"""What neighbours there are now: what reviewers have decided, and the catalogue's newest products.

Read once in ten minutes for each instance, whatever their number.
"""

import logging
from typing import Final

from shared.classification.models import Categories, Item, Verdict
from shared.classification.neighbours import Neighbours

log = logging.getLogger(__name__)
FRESH_SECONDS: Final = 600.0


class KnownNeighbours:
    """The neighbours of items."""

    def __init__(self, found: Neighbours) -> None:
        self._found = found

    def nearest(self, item: Item) -> Verdict | None:
        """The category of what is as good as the same product; None where none is sure."""
        return self._found.nearest(f"{item.brand or ''} {item.name}")


def read(categories: Categories) -> KnownNeighbours:
    """As they were at most ten minutes ago."""
    return KnownNeighbours(Neighbours(categories, [], []))
