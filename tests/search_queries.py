"""Queries as people type them, with one slip each, and which answer to them is right."""

import random
import string
from collections import defaultdict
from collections.abc import Callable, Iterable

from shared.products.models import Product
from shared.products.search_entries import asked, entry_of

QUERIES = 500


def typo(chance: random.Random, name: str) -> str:
    """One letter lost, doubled in another's place, replaced, or swapped with the next."""
    words = name.split()
    at = chance.choice([n for n, word in enumerate(words) if sum(map(str.isalpha, word)) >= 4])
    word = words[at]
    while word == words[at]:
        i, letter = chance.randrange(len(word)), chance.choice(string.ascii_lowercase)
        word = chance.choice(
            [
                word[:i] + word[i + 1 :],
                word[:i] + letter + word[i:],
                word[:i] + letter + word[i + 1 :],
                word[:i] + word[i + 1 : i + 2] + word[i : i + 1] + word[i + 2 :],
            ]
        )
    return " ".join([*words[:at], word, *words[at + 1 :]])


def missing(chance: random.Random, name: str) -> str:
    words = name.split()
    at = chance.randrange(len(words))
    return " ".join(words[:at] + words[at + 1 :])


def swapped(chance: random.Random, name: str) -> str:
    words = name.split()
    first, second = sorted(chance.sample(range(len(words)), 2))
    words[first], words[second] = words[second], words[first]
    return " ".join(words)


SLIPS: tuple[Callable[[random.Random, str], str], ...] = (typo, missing, swapped)


def right(query: str, source: Product, answer: Product) -> bool:
    """Whether the answer is called what was meant, whatever the order of its words and its shop.

    Of goods that differ in size alone each will do, unless the query names the size.
    """
    _, size = asked(query)
    entry = entry_of(answer)
    return names(source) == names(answer) and size in ("", entry.size)


def names(product: Product) -> frozenset[str]:
    return frozenset(entry_of(product).words.split())


class Names:
    """What the goods are called, by each of their words."""

    def __init__(self, products: Iterable[Product]) -> None:
        self._known: dict[str, set[tuple[frozenset[str], str]]] = defaultdict(set)
        for product in products:
            called = names(product)
            for each in called:
                self._known[each].add((called, entry_of(product).size))

    def leave_doubt(self, query: str) -> bool:
        """Whether several names have every word that is left: nobody could say which was meant."""
        words, size = asked(query)
        holding = set.intersection(*(self._known[word] for word in words)) if words else set()
        return len({called for called, held in holding if size in ("", held)}) != 1


def queries(products: list[Product]) -> list[tuple[str, str, Product]]:
    """The same 500 each time: a kind of slip, what was typed, and the product that was meant."""
    chance = random.Random(20260101)  # noqa: S311 - the same queries each time
    known = Names(products)
    made: list[tuple[str, str, Product]] = []
    while len(made) < QUERIES:
        slip = SLIPS[len(made) % len(SLIPS)]
        product = chance.choice(products)
        if len(product.name.split()) < 3:
            continue
        query = slip(chance, product.name)
        if slip is not missing or not known.leave_doubt(query):
            made.append((slip.__name__, query, product))
    return made
