"""How alike texts are worded: by TF-IDF over words, and over parts of words."""

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Starts = NDArray[np.uint32]
    Places = NDArray[np.uint16]

MOST_WORDS: Final = 10_000
_PART_LENGTHS: Final = (3, 4, 5)
_TERM: Final = re.compile(r"\w\w+")
_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_SHORTEST_STEM: Final = 4
_EMPTY: Final = frozenset({"and", "or", "of", "the", "with", "for", "in"})


class Wording:
    """Some texts, and how alike others are to each."""

    def __init__(self, size: int, by_terms: "_Features", by_parts: "_Features") -> None:
        self._size = size
        self._terms = by_terms
        self._parts = by_parts

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Wording":
        """The wording of the texts."""
        by_terms = _Features.of([terms(text) for text in texts])
        return cls(len(texts), by_terms, _Features.of([parts(text) for text in texts]))

    @classmethod
    def unpacked(cls, size: int, packed: "Sequence[PackedFeatures]") -> "Wording":
        """What `packed` told of so many texts; raises ValueError for what it cannot have told."""
        by_terms, by_parts = (_unpacked(size, each) for each in packed)
        return cls(size, by_terms, by_parts)

    def packed(self) -> "list[PackedFeatures]":
        """All that it knows of its texts."""
        return [_packed(self._terms), _packed(self._parts)]

    def likeness(self, text: str) -> "Floats":
        """To each text, by words and by parts of words added up: 0 to 2."""
        found = np.zeros(self._size, np.float32)
        self._terms.add_likeness(terms(text), found)
        self._parts.add_likeness(parts(text), found)
        return found


class PackedFeatures(msgspec.Struct, frozen=True, array_like=True):
    """Features, where the texts of each start in the list of all, and these with their weights."""

    names: list[str]
    starts: bytes
    places: bytes
    weights: bytes


class _Features:
    """Texts as vectors of length 1, kept by feature: texts and weights of one beside another."""

    def __init__(
        self, size: int, names: Sequence[str], starts: "Starts", places: "Places", weights: "Floats"
    ) -> None:
        # What is new counts as what was seen once: each text here was new to all others, too.
        self._idf_of_new = _idf(size, 1)
        self._size = size
        self._numbers = {name: number for number, name in enumerate(names)}
        self._starts: list[int] = starts.tolist()
        self.columns = (starts, places, weights)

    @classmethod
    def of(cls, texts: Sequence[Counter[str]]) -> "_Features":
        """Those of the texts."""
        places: dict[str, list[int]] = defaultdict(list)
        for place, counts in enumerate(texts):
            for feature in counts:
                places[feature].append(place)
        starts = np.cumsum([0, *map(len, places.values())], dtype=np.uint32)
        every = np.fromiter(chain.from_iterable(places.values()), np.uint16, starts[-1])
        made = cls(len(texts), list(places), starts, every, np.zeros(starts[-1], np.float32))
        weights: dict[str, list[float]] = {feature: [] for feature in places}
        for counts in texts:
            for feature, weight in made._vector(counts).items():
                weights[feature].append(weight)
        made.columns[2][:] = list(chain.from_iterable(weights.values()))
        return made

    @property
    def names(self) -> list[str]:
        """Each feature, in the order of the columns."""
        return list(self._numbers)

    def add_likeness(self, counts: Counter[str], found: "Floats") -> None:
        """Adds the cosine of each text with these features."""
        _, places, weights = self.columns
        for feature, weight in self._vector(counts).items():
            if (number := self._numbers.get(feature)) is not None:
                there = slice(self._starts[number], self._starts[number + 1])
                found[places[there]] += weight * weights[there]

    def _vector(self, counts: Counter[str]) -> dict[str, float]:
        weighed = {
            feature: (1 + math.log(count)) * self._idf(feature) for feature, count in counts.items()
        }
        length = math.sqrt(sum(weight * weight for weight in weighed.values()))
        return {feature: weight / length for feature, weight in weighed.items()}

    def _idf(self, feature: str) -> float:
        number = self._numbers.get(feature)
        if number is None:
            return self._idf_of_new
        return _idf(self._size, self._starts[number + 1] - self._starts[number])


def _idf(texts: int, having: int) -> float:
    return math.log((1 + texts) / (1 + having)) + 1


def _packed(features: _Features) -> PackedFeatures:
    return PackedFeatures(features.names, *(each.tobytes() for each in features.columns))


def _unpacked(size: int, packed: PackedFeatures) -> _Features:
    starts = np.frombuffer(packed.starts, np.uint32)
    places = np.frombuffer(packed.places, np.uint16)
    weights = np.frombuffer(packed.weights, np.float32)
    fits = len(starts) == len(packed.names) + 1 and len(places) == len(weights) == starts[-1]
    if not fits or (np.diff(starts.astype(int)) < 0).any() or (places >= size).any():
        raise ValueError("features of other texts")
    return _Features(size, packed.names, starts, places, weights)


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
