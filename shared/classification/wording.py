"""How alike texts are worded: by TF-IDF over words, and over parts of words."""

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Postings = tuple[NDArray[np.intp], Floats]

MOST_WORDS: Final = 10_000
_PART_LENGTHS: Final = (3, 4, 5)
_TERM: Final = re.compile(r"\w\w+")
_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_SHORTEST_STEM: Final = 4
_EMPTY: Final = frozenset({"and", "or", "of", "the", "with", "for", "in"})


class Wording:
    """Some texts, and how alike others are to each."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._size = len(texts)
        self._terms = _Features([terms(text) for text in texts])
        self._parts = _Features([parts(text) for text in texts])

    def likeness(self, text: str) -> "Floats":
        """To each text, by words and by parts of words added up: 0 to 2."""
        found = np.zeros(self._size, np.float32)
        self._terms.add_likeness(terms(text), found)
        self._parts.add_likeness(parts(text), found)
        return found


class _Features:
    """Texts as vectors of length 1, kept by feature."""

    def __init__(self, texts: Sequence[Counter[str]]) -> None:
        seen = Counter(feature for counts in texts for feature in counts)
        # What is new counts as what was seen once: each text here was new to all others, too.
        self._idf_of_new = math.log((1 + len(texts)) / 2) + 1
        self._idf = {each: math.log((1 + len(texts)) / (1 + n)) + 1 for each, n in seen.items()}
        places: dict[str, list[int]] = defaultdict(list)
        weights: dict[str, list[float]] = defaultdict(list)
        for place, counts in enumerate(texts):
            for feature, weight in self._vector(counts).items():
                places[feature].append(place)
                weights[feature].append(weight)
        self._postings: dict[str, Postings] = {
            each: (np.array(places[each], np.intp), np.array(weights[each], np.float32))
            for each in places
        }

    def add_likeness(self, counts: Counter[str], found: "Floats") -> None:
        """Adds the cosine of each text with these features."""
        for feature, weight in self._vector(counts).items():
            if feature in self._postings:
                places, weights = self._postings[feature]
                found[places] += weight * weights

    def _vector(self, counts: Counter[str]) -> dict[str, float]:
        weighed = {
            feature: (1 + math.log(count)) * self._idf.get(feature, self._idf_of_new)
            for feature, count in counts.items()
        }
        length = math.sqrt(sum(weight * weight for weight in weighed.values()))
        return {feature: weight / length for feature, weight in weighed.items()}


def terms(text: str) -> Counter[str]:
    """The words and numbers of a text, alone and two in a row, with how often they occur."""
    found = _TERM.findall(plain(text))
    pairs = (" ".join(pair) for pair in pairwise(found))
    return Counter([*found, *pairs])


def parts(text: str) -> Counter[str]:
    """The parts of a text's words, with how often they occur."""
    found: Counter[str] = Counter()
    for word in plain(text).split():
        found.update(_parts(word))
    return found


def plain(text: str) -> str:
    """A text in small letters without accents."""
    told = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in told if not unicodedata.combining(letter))


def words(text: str) -> Iterator[str]:
    """The words that say something, without accents and endings of plurals."""
    return (_stem(word) for word in _WORD.findall(plain(text)) if word not in _EMPTY)


# A catalogue has fewer words that matter; an instance lives for days, and sees any word.
@lru_cache(maxsize=MOST_WORDS)
def _parts(word: str) -> tuple[str, ...]:
    padded = f" {word} "
    found = (
        padded[at : at + length]
        for length in _PART_LENGTHS
        for at in range(max(1, len(padded) - length + 1))
    )
    return tuple(found)


def _stem(word: str) -> str:
    if len(word) < _SHORTEST_STEM or word.endswith("ss"):
        return word
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    for ending in ("oes", "shes", "ches", "xes"):
        if word.endswith(ending):
            return word[:-2]
    return word.removesuffix("s")
