"""Finding products by lists alone: which lists a query reads, within a fixed number of reads."""

from collections.abc import Iterable, Mapping
from itertools import combinations, product
from typing import Final, Protocol

import msgspec

from shared.products.search_entries import (
    Entry,
    asked,
    name_list,
    pair_list,
    vocabularies,
    word_list,
)
from shared.products.search_ranking import corrections

# With a session and the 20 products of the longest answer that makes 60.
MAX_READS: Final = 39
_MAX_WORDS: Final = 6


class WordList(msgspec.Struct, frozen=True):
    """The products of a list by id, and whether others had no room in it."""

    full: bool = False
    entries: Mapping[str, str] = {}


class Lists(Protocol):
    """Where lists and vocabularies are read by id: one read each."""

    def lists(self, keys: Iterable[str]) -> Mapping[str, WordList]:
        """The lists that exist."""
        ...

    def vocabulary(self, keys: Iterable[str]) -> set[str]:
        """All words of these vocabularies."""
        ...


class Wanted(msgspec.Struct, frozen=True):
    """A query as its words and the size it names."""

    words: tuple[str, ...]
    size: str

    @classmethod
    def of(cls, text: str) -> "Wanted":
        """What `text` asks for."""
        words, size = asked(text)
        return cls(words, size)


def candidates(wanted: Wanted, source: Lists) -> dict[str, str]:
    """Packed entries by product id: what may answer the query, most of it in vain."""
    return _Search(source).run(wanted.words[:_MAX_WORDS])


def fits(entry: Entry, filters: Mapping[str, str]) -> bool:
    """Whether the entry has each value that the filters name."""
    return all(getattr(entry, name) == value for name, value in filters.items())


class _Search:
    def __init__(self, source: Lists) -> None:
        self._source = source
        self._left = MAX_READS
        self._found: dict[str, WordList] = {}

    def run(self, words: tuple[str, ...]) -> dict[str, str]:
        self._read(map(word_list, words))
        meanings = {word: self._meanings(word) for word in words}
        self._read(word_list(known) for each in meanings.values() for known in each)
        self._read(self._narrower(meanings))
        entries: dict[str, str] = {}
        for each in self._found.values():
            entries |= each.entries
        return entries

    def _read(self, keys: Iterable[str]) -> None:
        fresh = [key for key in dict.fromkeys(keys) if key not in self._found][: self._left]
        if fresh:
            self._left -= len(fresh)
            self._found |= dict.fromkeys(fresh, WordList()) | dict(self._source.lists(fresh))

    def _meanings(self, word: str) -> list[str]:
        """The word itself where a product has it, else what it is a slip away from."""
        if self._found[word_list(word)].entries:
            return [word]
        keys = vocabularies(word)
        if not keys or len(keys) > self._left:
            return []
        self._left -= len(keys)
        return corrections(word, self._source.vocabulary(keys))

    def _narrower(self, meanings: Mapping[str, list[str]]) -> list[str]:
        """Lists of two words, and of the whole name, where one of the words' own is full."""
        ranked: list[tuple[int, str]] = []
        for some, others in combinations([each for each in meanings.values() if each], 2):
            for (i, a), (j, b) in product(enumerate(some), enumerate(others)):
                if a != b and (self._full(a) or self._full(b)):
                    ranked.append((i + j, pair_list(a, b)))
        likely = tuple(dict.fromkeys(each[0] for each in meanings.values() if each))
        whole = [name_list(likely)] if any(map(self._full, likely)) else []
        return whole + [key for _, key in sorted(ranked)]

    def _full(self, word: str) -> bool:
        return self._found.get(word_list(word), WordList()).full
