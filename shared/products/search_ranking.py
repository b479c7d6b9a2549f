"""How well a product answers a query: words alike in any order, then the size."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from rapidfuzz.distance import DamerauLevenshtein

from shared.products.search_entries import SHORTEST_CORRECTED, Entry

LOWEST: Final = 0.45
_ALIKE: Final = 0.6
_BEGUN: Final = 0.9
_ASKED_WEIGHT: Final = 0.7
_SIZE_WEIGHT: Final = 0.1
# From this length on two slips in one word are still a slip and not another word.
_LONG_WORD: Final = 8
_MOST_CORRECTIONS: Final = 3


def score(words: tuple[str, ...], size: str, entry: Entry) -> float:
    """From 0 to about 1: what of the query the product has, what of it the query names, size."""
    stored = entry.words.split()
    value = _ASKED_WEIGHT * _covered(words, stored) + (1 - _ASKED_WEIGHT) * _covered(
        stored, words, swapped=True
    )
    if size and entry.size:
        value += _SIZE_WEIGHT if size == entry.size else -_SIZE_WEIGHT
    return value


def corrections(word: str, vocabulary: Iterable[str]) -> list[str]:
    """The few words that `word` is most likely to mean: a slip away, or begun by it."""
    slips = 1 if len(word) < _LONG_WORD else 2
    near = [
        known
        for known in set(vocabulary)
        if known.startswith(word)
        or DamerauLevenshtein.distance(word, known, score_cutoff=slips) <= slips
    ]
    return sorted(near, key=lambda known: (-_likeness(word, known), known))[:_MOST_CORRECTIONS]


def _covered(words: Iterable[str], by: Iterable[str], *, swapped: bool = False) -> float:
    """The share of the letters of `words` that have a counterpart."""
    found = total = 0.0
    others = list(by)
    for word in words:
        pairs = ((other, word) if swapped else (word, other) for other in others)
        found += len(word) * max((_likeness(asked, known) for asked, known in pairs), default=0.0)
        total += len(word)
    return found / total if total else 0.0


@lru_cache(maxsize=65_536)
def _likeness(asked: str, known: str) -> float:
    if asked == known:
        return 1.0
    likeness = DamerauLevenshtein.normalized_similarity(asked, known)
    if len(asked) >= SHORTEST_CORRECTED and known.startswith(asked):
        likeness = max(likeness, _BEGUN)
    return likeness if likeness >= _ALIKE else 0.0
