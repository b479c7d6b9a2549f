"""Products whose category is known, and which of them a text is as good as the same as.

What a reviewer has said of the very same text is taken at once. Otherwise a neighbour speaks only
where such neighbours are known to agree with each other, by the examples themselves. Sizes do not
matter, but what is sold by weight is no neighbour of what is sold by volume.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from threading import Lock
from typing import Final

import msgspec

from shared.classification.models import Categories, Example, Verdict
from shared.classification.product_text import kind, measure

# Of 100. Names this alike differ by a plural, a joined word or a slip of the pen.
LIKENESS: Final = 95.0
# A neighbour answers only where it is as sure as this.
FEWEST_PERCENT: Final = 95
REVIEWED_PERCENT: Final = 99
# Few pairs that agree prove little.
_FEWEST_PAIRS: Final = 40
_MOST_PAIRS: Final = 300
_MOST_COMPARED: Final = 200
# A slip in a short name is a different word.
_FEWEST_LETTERS: Final = 10


class Comparable(Example, frozen=True):
    """An example with the forms by which it is compared, which take a while to make."""

    kind: str
    measure: str | None


class _Known(msgspec.Struct, frozen=True):
    text: str
    measure: str | None
    category: str
    is_reviewed: bool


def comparable(example: Example) -> Comparable:
    """The example, made ready for comparing."""
    text, category = example.text, example.category
    return Comparable(text, category, kind(text), measure(text))


class Neighbours:
    """Some examples; thread-safe once it is made."""

    def __init__(
        self, categories: Categories, reviewed: Sequence[Example], filed: Sequence[Example]
    ) -> None:
        self._known: list[_Known] = []
        self._by_text: dict[str, list[_Known]] = defaultdict(list)
        self._by_word: dict[str, list[int]] = defaultdict(list)
        self._measuring = Lock()
        self._measured: int | None = None
        # Made anew each time that it is asked for.
        listed = categories.ids
        for examples, is_reviewed in ((reviewed, True), (filed, False)):
            for example in examples:
                if example.category in listed:
                    self._add(example, is_reviewed=is_reviewed)

    def nearest(self, text: str) -> Verdict | None:
        """The category of what is the same or nearly, as brand and name; None if none is sure."""
        wanted, by = kind(text), measure(text)
        same = self._same(wanted, by)
        reviewed = [each.category for each in same if each.is_reviewed]
        if reviewed and len(set(reviewed)) == 1:
            return Verdict(reviewed[0], REVIEWED_PERCENT, "A reviewer filed the same product here.")
        if reviewed:
            return None
        found = {each.category for each in same or self._alike(wanted, by)}
        if len(found) != 1 or self._percent < FEWEST_PERCENT:
            return None
        return Verdict(found.pop(), self._percent, "Nearly the same products are filed here.")

    def _add(self, example: Example, *, is_reviewed: bool) -> None:
        ready = example if isinstance(example, Comparable) else comparable(example)
        if not ready.kind:
            return
        known = _Known(ready.kind, ready.measure, example.category, is_reviewed)
        for word in set(ready.kind.split()):
            self._by_word[word].append(len(self._known))
        self._known.append(known)
        self._by_text[ready.kind].append(known)

    def _same(self, text: str, by: str | None) -> list[_Known]:
        return [each for each in self._by_text.get(text, []) if _is_sold_alike(by, each)]

    def _alike(self, text: str, by: str | None) -> Iterator[_Known]:
        if len(text) < _FEWEST_LETTERS or not (compared := self._compared(text)):
            return
        from rapidfuzz import fuzz

        for number in compared:
            known = self._known[number]
            if not _is_sold_alike(by, known):
                continue
            if fuzz.ratio(text, known.text, score_cutoff=LIKENESS) >= LIKENESS:
                yield known

    def _compared(self, text: str) -> Collection[int]:
        """Those that share one of its two rarest words, of which a slip can have spoilt one."""
        rare = sorted(
            (len(self._by_word[word]), word) for word in set(text.split()) if word in self._by_word
        )[:2]
        return {n: None for _, word in rare for n in self._by_word[word][:_MOST_COMPARED]}

    @property
    def _percent(self) -> int:
        # Once, though several ask in one moment: a `cached_property` has no lock from 3.12 on.
        with self._measuring:
            if self._measured is None:
                self._measured = self._agreement()
            return self._measured

    def _agreement(self) -> int:
        """In how many of 100 cases an example's nearest others are filed where it is, at least."""
        pairs = agreed = 0
        step = max(1, len(self._known) // _MOST_PAIRS)
        for known in self._known[::step]:
            text, by = known.text, known.measure
            others = [each for each in self._same(text, by) if each is not known]
            others = others or [each for each in self._alike(text, by) if each is not known]
            if others:
                pairs += 1
                agreed += {each.category for each in others} == {known.category}
        # Laplace's estimate: even where all agreed, the next one may not.
        return 100 * (agreed + 1) // (pairs + 2) if pairs >= _FEWEST_PAIRS else 0


def _is_sold_alike(by: str | None, known: _Known) -> bool:
    """Milk by the gram is a powder; who states no size may mean either."""
    return by is None or known.measure is None or by == known.measure
