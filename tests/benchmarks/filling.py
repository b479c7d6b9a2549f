"""Fills the local Firestore with a catalogue of a given size: `python -m … <size> <already there>`.

The demo's goods come again under as many house names as the size needs, so that words, prices
and posting lists are spread as in a grown catalogue. What follows a write is written along.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import Any, Final

from local.demo import seed
from local.demo.catalogue import DemoProduct, demo_categories, demo_products
from local.demo.search_index import SearchIndex
from shared.clients import firestore
from shared.clock import utc_now
from shared.products import catalogue, category_tree, identities, pairs, postings
from shared.products.matching import POSTING_CAP, DefaultMatcher
from shared.products.models import to_document

PARALLEL: Final = 4
BATCH: Final = 400
# Full posting lists take 20 kB each, and the emulator takes 4 MiB a call.
LIST_BATCH: Final = 80
_SYLLABLES: Final = ["ka", "ru", "mo", "ti", "la", "vi", "so", "ne", "da", "pe"]


def goods(size: int) -> list[DemoProduct]:
    """The first `size` offers, the same at each call but for their times."""
    now = utc_now()
    demo = demo_products(now=now)
    return [_renamed(demo[n % len(demo)], n, len(demo)) for n in range(size)]


def _renamed(item: DemoProduct, number: int, demo_size: int) -> DemoProduct:
    house = number // demo_size
    word = "".join(_SYLLABLES[int(digit)] for digit in f"{house:03}").capitalize()
    return replace(
        item,
        sku=f"{item.sku}-{house}",
        name=f"{word} {item.name}",
        brand=f"{word} {item.brand}",
        created_at=item.created_at - timedelta(days=house),
    )


def main(size: int, already: int) -> None:
    """Write the offers from `already` on, and the lists and statistics of all."""
    demo = goods(size)
    _write(_offers(demo[already:]), BATCH)
    _write(_lists(demo), LIST_BATCH)


def _offers(demo: list[DemoProduct]) -> Iterator[seed.Write]:
    matcher = DefaultMatcher()
    for item in demo:
        product = seed._product(item)
        yield f"{catalogue.COLLECTION}/{product.id}", to_document(product)
        key = identities.identity(product.retailer, item.sku, product.name, product.size)
        yield f"{identities.COLLECTION}/{key}", {"product_id": product.id}
        keys = list(matcher.keys(postings.offer_of(product)))
        yield f"{pairs.STATES}/{product.id}", {"keys": keys, "partners": {}}


def _lists(demo: list[DemoProduct]) -> Iterator[seed.Write]:
    products = [seed._product(item) for item in demo]
    matcher = DefaultMatcher()
    lists: dict[str, dict[str, Any]] = defaultdict(dict)
    for product in products:
        offer = postings.offer_of(product)
        for key in matcher.keys(offer):
            if len(lists[key]) < POSTING_CAP:
                lists[key] |= postings.added(offer)["entries"]
    yield from seed._statistics(products)
    for each in demo_categories():
        fields = {"name": each.name, "parent_id": each.parent_id, "version": 1}
        yield f"{category_tree.COLLECTION}/{each.id}", {**fields, "updated_at": utc_now()}
    for key, entries in lists.items():
        yield f"{postings.COLLECTION}/{key}", {"entries": entries}
    yield from SearchIndex(products).documents()


def _write(writes: Iterator[seed.Write], batch: int) -> None:
    firestore.client()
    with ThreadPoolExecutor(PARALLEL) as pool:
        list(pool.map(seed._commit, iter(lambda: list(islice(writes, batch)), [])))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
