"""Which lists a product joins: those of its words, and of pairs of words where those are full."""

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Final

import msgspec

from shared.products.search_entries import name_list, pair_list, word_list

# A document stays far below 100 kB even if its count is off by what a repeated commit adds.
CAPACITY_BYTES: Final = 24_000
MAX_LISTS: Final = 24


class Head(msgspec.Struct, frozen=True):
    """What is known of a list without its entries; once full it stays so for newcomers."""

    full: bool = False
    used_bytes: int = 0

    @property
    def has_room(self) -> bool:
        """Whether a newcomer may join."""
        return not self.full and self.used_bytes < CAPACITY_BYTES


class Places(msgspec.Struct, frozen=True):
    """The lists that hold a product, those that became full, and words never met before."""

    lists: tuple[str, ...] = ()
    filled: tuple[str, ...] = ()
    new_words: tuple[str, ...] = ()


Heads = Callable[[Iterable[str]], Mapping[str, Head | None]]


def place(words: tuple[str, ...], present: frozenset[str], heads: Heads) -> Places:
    """Where a product of these words stands; it keeps the lists of them that it is in already.

    `heads` reads lists by id, None standing for one that does not exist: at most 8 and then 29.
    """
    by_word = {word_list(word): word for word in words}
    known = heads(by_word)
    refused = [key for key in by_word if not _may_join(key, present, known)]
    joined = [key for key in by_word if key not in refused]
    filled = _filled(refused, known)
    new_words = tuple(word for key, word in by_word.items() if known.get(key) is None)
    if refused:
        wanted = _narrower(words, [by_word[key] for key in refused])
        known = heads(wanted)
        free = (key for key in wanted if _may_join(key, present, known))
        joined += islice(free, MAX_LISTS - len(joined))
        filled += _filled([key for key in wanted if not _may_join(key, present, known)], known)
    return Places(tuple(joined), tuple(filled), new_words)


def _narrower(words: tuple[str, ...], crowded: list[str]) -> list[str]:
    pairs = [pair_list(word, other) for word in crowded for other in words if other != word]
    return list(dict.fromkeys([name_list(words), *pairs]))


def _may_join(key: str, present: frozenset[str], known: Mapping[str, Head | None]) -> bool:
    head = known.get(key)
    return key in present or head is None or head.has_room


def _filled(refused: list[str], known: Mapping[str, Head | None]) -> list[str]:
    return [key for key in refused if (head := known.get(key)) and not head.full]
