"""The search's lists of a whole catalogue in memory, as its background work would build them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from shared.products import search_lists
from shared.products.models import Product
from shared.products.search_entries import entry_of, packed, vocabularies
from shared.products.search_finding import WordList
from shared.products.search_placing import Head, place


class SearchIndex:
    """Lists to be searched as they are, or to be written into Firestore."""

    def __init__(self, products: Iterable[Product]) -> None:
        self._entries: dict[str, dict[str, str]] = defaultdict(dict)
        self._used_bytes: dict[str, int] = defaultdict(int)
        self._full: set[str] = set()
        self._words: dict[str, set[str]] = defaultdict(set)
        self._states: dict[str, dict[str, Any]] = {}
        self.reads = 0
        for product in products:
            self._add(product)

    def lists(self, keys: Iterable[str]) -> Mapping[str, WordList]:
        """The lists that exist; counts a read for each asked for."""
        asked = list(keys)
        self.reads += len(asked)
        return {
            key: WordList(key in self._full, self._entries[key])
            for key in asked
            if key in self._entries
        }

    def vocabulary(self, keys: Iterable[str]) -> set[str]:
        """All words of these vocabularies; counts a read for each."""
        asked = list(keys)
        self.reads += len(asked)
        return {word for key in asked for word in self._words.get(key, ())}

    def lists_of(self, product_id: str) -> list[str]:
        """The lists that hold a product."""
        return list(self._states[product_id]["lists"])

    def documents(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every document by its path."""
        for key, entries in self._entries.items():
            fields: dict[str, Any] = {"entries": entries, "used_bytes": self._used_bytes[key]}
            full = {"full": True} if key in self._full else {}
            yield f"{search_lists.COLLECTION}/{key}", fields | full
        for key, words in self._words.items():
            yield f"{search_lists.VOCABULARIES}/{key}", {"words": sorted(words)}
        for product_id, state in self._states.items():
            yield f"{search_lists.STATES}/{product_id}", state

    def _add(self, product: Product) -> None:
        entry = entry_of(product)
        words = tuple(entry.words.split())
        if not words:
            return
        text = packed(entry)
        places = place(words, frozenset(), self._heads)
        for key in places.lists:
            self._entries[key][product.id] = text
            self._used_bytes[key] += search_lists.cost_bytes(text)
        self._full |= set(places.filled)
        for word in places.new_words:
            for key in vocabularies(word):
                self._words[key].add(word)
        self._states[product.id] = {"entry": text, "lists": list(places.lists)}

    def _heads(self, keys: Iterable[str]) -> dict[str, Head | None]:
        return {
            key: Head(key in self._full, self._used_bytes[key]) if key in self._entries else None
            for key in keys
        }
