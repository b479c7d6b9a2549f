"""Which category a text is most like: by TF-IDF over words and over parts of words.

Every category has a profile (its names and synonyms), and every known product stands for its own.
The confidence is how far the best category stands out among all, times how much of the text is
known at all; it is a figure of likeness, not a probability.
"""

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final

from shared.classification.models import Categories, Choice, Example, Verdict
from shared.classification.synonyms import SYNONYMS

GRAM: Final = 4
MOST_WORDS: Final = 50_000
NEIGHBOURS: Final = 8
MOST_CONFIDENCE: Final = 95
_NAME_WEIGHT: Final = 3
_SYNONYM_WEIGHT: Final = 2
# Parts of words find «yogurt» by «yoghurt», and are many: each counts little.
_PART_WEIGHT: Final = 0.35
_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_SHORTEST_STEM: Final = 4
# A likeness as great as this counts as known in full.
_FULL_LIKENESS: Final = 0.45

Vector = dict[str, float]


class LocalModel:
    """What is known of some categories; cheap to ask, and thread-safe once it is made."""

    def __init__(self, categories: Categories, examples: Sequence[Example]) -> None:
        self._choices = categories.choices
        profiles = [_profile(choice) for choice in categories.choices]
        texts = [*profiles, *(features(example.text) for example in examples)]
        self._owners = [choice.id for choice in categories.choices]
        self._owners += [example.category for example in examples]
        self._profiles = len(profiles)
        self._idf = _idf(texts)
        self._postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for number, text in enumerate(texts):
            for feature, weight in self._vector(text).items():
                self._postings[feature].append((number, weight))

    def classify(self, text: str) -> Verdict:
        """The most likely category; with confidence 0 where nothing in the text is known."""
        likeness = self._likeness(text)
        scores, nearest = self._scores(likeness)
        if not scores:
            choice = self._choices[0].id
            return Verdict(choice, 0, "Nothing in the text is known.")
        best = max(sorted(scores), key=lambda category: scores[category])
        share = scores[best] / sum(scores.values())
        known = min(1.0, nearest[best] / _FULL_LIKENESS)
        confidence = min(MOST_CONFIDENCE, round(100 * share * known))
        return Verdict(best, confidence, f"Most like what is filed under {best}.")

    def _likeness(self, text: str) -> dict[int, float]:
        found: dict[int, float] = defaultdict(float)
        for feature, weight in self._vector(features(text)).items():
            for number, other in self._postings.get(feature, ()):
                found[number] += weight * other
        return found

    def _scores(self, likeness: dict[int, float]) -> tuple[Vector, Vector]:
        """Each category's score, and its greatest likeness."""
        scores: Vector = defaultdict(float)
        nearest: Vector = defaultdict(float)
        examples = [number for number in likeness if number >= self._profiles]
        neighbours = sorted(examples, key=lambda number: -likeness[number])[:NEIGHBOURS]
        profiles = [number for number in likeness if number < self._profiles]
        for number in (*profiles, *neighbours):
            owner, like = self._owners[number], likeness[number]
            # Squared, so that many that are a little alike do not outvote one that is the same.
            scores[owner] += like * like
            nearest[owner] = max(nearest[owner], like)
        return scores, nearest

    def _vector(self, counts: Vector) -> Vector:
        weighed = {
            feature: (1 + math.log(count)) * self._idf[feature]
            for feature, count in counts.items()
            if feature in self._idf and count > 0
        }
        for feature in weighed:
            if feature.startswith("#"):
                weighed[feature] *= _PART_WEIGHT
        length = math.sqrt(sum(weight * weight for weight in weighed.values()))
        return {feature: weight / length for feature, weight in weighed.items()} if length else {}


def features(text: str) -> Vector:
    """The words of a text and the parts of its words, each with how often it occurs."""
    found: Counter[str] = Counter()
    for word in words(text):
        found[word] += 1
        found.update(_parts(word))
    return dict(found)


def words(text: str) -> Iterator[str]:
    """The words of a text, without accents and endings of plurals."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return (_stem(word) for word in _WORD.findall(plain) if word not in _EMPTY)


_EMPTY: Final = frozenset({"and", "or", "of", "the", "with", "for", "in"})


# A catalogue has fewer words that matter; an instance lives for days, and sees any word.
@lru_cache(maxsize=MOST_WORDS)
def _parts(word: str) -> tuple[str, ...]:
    padded = f"#{word}$"
    last = max(1, len(padded) - GRAM + 1)
    return tuple("#" + padded[at : at + GRAM] for at in range(last))


def _stem(word: str) -> str:
    if len(word) < _SHORTEST_STEM or word.endswith("ss"):
        return word
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    for ending in ("oes", "shes", "ches", "xes"):
        if word.endswith(ending):
            return word[:-2]
    return word.removesuffix("s")


def _profile(choice: Choice) -> Vector:
    found: Counter[str] = Counter()
    own = choice.path[-1]
    for name, weight in ((own, _NAME_WEIGHT), *((name, 1) for name in choice.path[:-1])):
        for feature, count in features(name).items():
            found[feature] += int(count) * weight
    for feature, count in features(" ".join(_synonyms(own))).items():
        found[feature] += int(count) * _SYNONYM_WEIGHT
    return dict(found)


def _synonyms(name: str) -> Iterable[str]:
    own = set(words(name))
    return (told for key, told in SYNONYMS.items() if set(words(key)) <= own)


def _idf(texts: Sequence[Vector]) -> Vector:
    seen = Counter(feature for text in texts for feature in text)
    return {feature: math.log((1 + len(texts)) / (1 + n)) + 1 for feature, n in seen.items()}
