"""What neighbours there are now: reviewers' decisions, and the newest products as filed."""

import logging
from collections.abc import Sequence
from threading import Lock

from shared.classification import labels, newest_products
from shared.classification.models import Categories, Example, Item, Verdict
from shared.classification.neighbours import Comparable, Neighbours
from shared.errors import ShoppleError

log = logging.getLogger(__name__)

_lock = Lock()
_Of = tuple[Categories, list[labels.Label], list[Comparable]]
_kept: "tuple[_Of, KnownNeighbours] | None" = None


class KnownNeighbours:
    """The neighbours of items, by reviewers' word alone and by the catalogue's as well."""

    def __init__(
        self, categories: Categories, reviewed: Sequence[Example], filed: Sequence[Example]
    ) -> None:
        self._of = (categories, reviewed, filed)
        self._making = Lock()
        self._made: dict[bool, Neighbours] = {}

    def nearest(self, item: Item) -> Verdict | None:
        """The category of what is as good as the same product; None where none is sure.

        Who asks about a product of the catalogue doubts how such products are filed there.
        """
        known = self._neighbours(by_all=item.id is None)
        return known.nearest(labels.label_text(item.brand, item.name, item.size))

    def _neighbours(self, *, by_all: bool) -> Neighbours:
        # Once, though several ask in one moment: a `cached_property` has no lock from 3.12 on.
        with self._making:
            if by_all not in self._made:
                categories, reviewed, filed = self._of
                self._made[by_all] = Neighbours(categories, reviewed, filed if by_all else [])
            return self._made[by_all]


def read(categories: Categories) -> KnownNeighbours:
    """Reviewers' decisions as they were a minute ago at most, products as ten minutes ago."""
    global _kept  # noqa: PLW0603 - one copy for the process
    of: _Of = (categories, _labels(), newest_products.known() or [])
    with _lock:
        if _kept is None or _kept[0] != of:
            _, reviewed, filed = of
            examples = [Example(label.text, label.category) for label in reviewed]
            _kept = (of, KnownNeighbours(categories, examples, filed))
        return _kept[1]


def _labels() -> list[labels.Label]:
    try:
        return labels.known()
    except ShoppleError as error:
        log.warning("No labels", extra={"context": {"why": error.detail}})
        return []
