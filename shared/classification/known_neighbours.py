"""What neighbours there are now: reviewers' decisions, and the newest products as filed."""

import logging
from collections.abc import Sequence
from functools import cached_property
from threading import Lock

from shared.classification import labels, newest_products
from shared.classification.models import Categories, Example, Item, Verdict
from shared.classification.neighbours import Comparable, Neighbours
from shared.errors import DependencyError

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

    @cached_property
    def _by_reviewers(self) -> Neighbours:
        categories, reviewed, _ = self._of
        return Neighbours(categories, reviewed, [])

    @cached_property
    def _by_all(self) -> Neighbours:
        return Neighbours(*self._of)

    def nearest(self, item: Item) -> Verdict | None:
        """The category of what is as good as the same product; None where none is sure.

        Who asks about a product of the catalogue doubts how such products are filed there.
        """
        known = self._by_all if item.id is None else self._by_reviewers
        return known.nearest(labels.label_text(item.brand, item.name, item.size))


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
    except DependencyError as error:
        log.warning("No labels", extra={"context": {"why": error.detail}})
        return []
