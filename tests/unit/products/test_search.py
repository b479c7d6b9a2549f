"""The search over lists in memory: what it finds first, and how many lists it reads for it."""

import json
from collections import Counter
from collections.abc import Iterable
from functools import cache

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.demo import seed
from local.demo.search_index import SearchIndex
from shared.products.models import Product
from shared.products.search_entries import (
    MAX_WORDS,
    entry_of,
    packed,
    pair_list,
    unpacked,
    vocabularies,
    word_list,
)
from shared.products.search_finding import MAX_READS, Wanted, candidates
from shared.products.search_placing import CAPACITY_BYTES, MAX_LISTS, Head, place
from shared.products.searching import ranked
from tests.benchmarks.filling import goods
from tests.integration.products.support import word
from tests.search_queries import QUERIES, queries, right

DEMO = 2600


@cache
def catalogue(size: int) -> tuple[list[Product], SearchIndex]:
    products = [seed._product(item) for item in goods(size)]
    return products, SearchIndex(products)


def found(index: SearchIndex, text: str) -> list[str]:
    wanted = Wanted.of(text)
    entries = {i: unpacked(packed_) for i, packed_ in candidates(wanted, index).items()}
    return ranked(wanted, entries)


@pytest.mark.parametrize("size", [20_000])
def test_what_was_meant_comes_first(size: int) -> None:
    products, index = catalogue(size)
    by_id = {product.id: product for product in products}
    missed: Counter[str] = Counter()
    most = 0
    for slip, query, product in queries(products):
        index.reads = 0
        best = found(index, query)[:1]
        most = max(most, index.reads)
        if not best or not right(query, product, by_id[best[0]]):
            missed[slip] += 1
            print(slip, product.name, "|", query, "|", by_id[best[0]].name if best else None)  # noqa: T201
    print(f"{size} products: missed {dict(missed)} of {QUERIES}, {most} reads at most")  # noqa: T201
    assert missed.total() <= QUERIES * 0.05
    assert most <= MAX_READS


@pytest.mark.parametrize("size", [DEMO, 20_000])
def test_a_product_stands_in_few_lists_and_no_list_grows_large(size: int) -> None:
    products, index = catalogue(size)
    counts = [len(index.lists_of(product.id)) for product in products]
    lists = [fields for path, fields in index.documents() if path.startswith("search_lists/")]
    largest = max(len(json.dumps(fields, ensure_ascii=False).encode()) for fields in lists)
    print(f"{size}: {sum(counts) / size:.1f} lists a product, {max(counts)} at most, {largest} B")  # noqa: T201
    assert max(counts) <= MAX_LISTS
    assert largest < 1.5 * CAPACITY_BYTES


@given(st.text(max_size=300), st.text(max_size=100), st.text(max_size=60))
def test_any_name_becomes_a_few_words_that_survive_being_stored(
    name: str, brand: str, size: str
) -> None:
    product = msgspec.structs.replace(catalogue(DEMO)[0][0], name=name, brand=brand, size=size)
    entry = entry_of(product)
    assert unpacked(packed(entry)) == entry
    assert len(entry.words.split()) <= MAX_WORDS
    assert len(packed(entry).encode()) < 2000
    for each in entry.words.split():
        for key in (word_list(each), *vocabularies(each)):
            assert "/" not in key
            assert len(key.encode()) < 200


def test_a_product_keeps_the_lists_it_is_in_when_they_fill_up() -> None:
    full = Head(full=True, used_bytes=CAPACITY_BYTES)

    def heads(keys: Iterable[str]) -> dict[str, Head | None]:
        return {key: full if key == word_list("milk") else None for key in keys}

    newcomer = place(("milk", "fresh"), frozenset(), heads)
    resident = place(("milk", "fresh"), frozenset({word_list("milk")}), heads)

    assert pair_list("fresh", "milk") in newcomer.lists
    assert word_list("milk") not in newcomer.lists
    assert set(resident.lists) == {word_list("milk"), word_list("fresh")}


def test_one_more_than_a_list_holds_is_found_by_its_other_words() -> None:
    first = catalogue(DEMO)[0][0]
    crowd = [
        msgspec.structs.replace(first, id=f"p{n}", name=f"Milk {word(n)}", brand="", size="")
        for n in range(2000)
    ]
    index = SearchIndex(crowd)
    assert len(index.lists([word_list("milk")])[word_list("milk")].entries) < 500
    for number in (0, 1000, 1999):
        assert found(index, f"{word(number)} mlk")[0] == f"p{number}"
