"""Fills an empty local Firestore with the demo catalogue, its statistics and its matches.

It writes what the product's own background work would come to, so that a start does not wait
for thousands of tasks. Matches are looked for among offers of one demo item only, and scored
by the product's matcher; every later write is matched against the whole catalogue.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import combinations
from typing import Any, Final

from msgspec.structs import asdict

from local.demo.catalogue import DemoProduct, demo_categories, demo_products, price_history
from local.demo.crowd import crowd
from local.demo.findings import findings
from local.demo.search_index import SearchIndex
from local.demo.wishes import wishes
from shared.clients import firestore
from shared.clock import epoch_micros, from_epoch_micros, rfc3339, utc_now
from shared.prices import analytics, store, summaries
from shared.prices.models import Point, month_of, pack
from shared.products import (
    catalogue,
    category_tree,
    identities,
    match_models,
    pairs,
    postings,
)
from shared.products.matching import POSTING_CAP, Match, Matcher
from shared.products.models import Product, to_document
from shared.products.page_marks import RUN_ROWS, Marks
from shared.system.configuration_records import DEFAULTS
from shared.users import insights

BATCH: Final = 400
PARALLEL: Final = 4

Write = tuple[str, dict[str, Any]]
Matches = list[tuple[str, str, Match]]


def main() -> None:
    """Seeds the database that the environment names, unless it has products already."""
    found = firestore.client().collection(catalogue.COLLECTION).limit(1).get()
    if list(found):
        print("the catalogue is not empty: nothing seeded")
        return
    now = utc_now()
    demo = demo_products(now=now)
    writes = list(_writes(demo, now, match_models.built(None)))
    batches = [writes[at : at + BATCH] for at in range(0, len(writes), BATCH)]
    with ThreadPoolExecutor(PARALLEL) as pool:
        list(pool.map(_commit, batches))
    analytics.refresh()
    insights.refresh()
    print(f"seeded {len(demo)} products with {len(writes)} documents")


def _commit(writes: list[Write]) -> None:
    database = firestore.client()
    batch = database.batch()
    for path, fields in writes:
        batch.set(database.document(path), fields)
    batch.commit()


def _writes(demo: list[DemoProduct], now: datetime, matcher: Matcher) -> Iterable[Write]:
    products = [_product(item) for item in demo]
    for product, item in zip(products, demo, strict=True):
        yield f"{catalogue.COLLECTION}/{product.id}", to_document(product)
        key = identities.identity(product.retailer, item.sku, product.name, product.size)
        yield f"{identities.COLLECTION}/{key}", {"product_id": product.id}
        yield from _prices(product, item, now)
    for seed in demo_categories():
        fields = {"name": seed.name, "parent_id": seed.parent_id, "version": 1}
        yield f"{category_tree.COLLECTION}/{seed.id}", {**fields, "updated_at": now}
    yield from wishes(now)
    yield from crowd(now)
    yield from findings(products, demo, matcher, now)
    yield from _statistics(products)
    matches = list(_matches(products, demo, matcher))
    yield from _matching(products, matches, matcher)
    yield from SearchIndex(products).documents()
    yield from _summaries(products, demo, matches, now)


def _product(item: DemoProduct) -> Product:
    # Twenty characters that look random and are the same at each start.
    digest = identities.identity(item.retailer, item.sku, item.name, item.size)
    return Product(
        id=digest[:20],
        name=item.name,
        brand=item.brand,
        size=item.size,
        category=item.category,
        retailer=item.retailer,
        retailer_sku=item.sku,
        url=None,
        image=None,
        description=None,
        price_minor=item.price_minor,
        currency=item.currency,
        status="active",
        version=1,
        created_at=item.created_at,
        updated_at=item.created_at,
    )


def _prices(product: Product, item: DemoProduct, now: datetime) -> Iterable[Write]:
    months: dict[str, list[Point]] = defaultdict(list)
    for point in _points(product, item, now):
        months[month_of(from_epoch_micros(point.at_micros))].append(point)
    for month, points in months.items():
        fields = {"points": pack(points), "change": "demo"}
        yield store.month(product.id, month).path, fields


def _points(product: Product, item: DemoProduct, now: datetime) -> list[Point]:
    return [
        Point(epoch_micros(moment), product.retailer, price_minor, product.currency, "crawler")
        for moment, price_minor in price_history(item, now)
    ]


def _summaries(
    products: list[Product], demo: list[DemoProduct], matches: Matches, now: datetime
) -> Iterable[Write]:
    partners: dict[str, list[str]] = defaultdict(list)
    for a, b, _ in matches:
        partners[a].append(b)
        partners[b].append(a)
    buckets: dict[str, dict[str, summaries.Summary]] = defaultdict(dict)
    for product, item in zip(products, demo, strict=True):
        points = _points(product, item, now)
        summary = summaries.summary_of(
            points, product.retailer, product.currency, partners[product.id]
        )
        if summary is not None:
            buckets[summaries.bucket_of(product.id)][product.id] = summary
    for bucket, found in buckets.items():
        yield analytics.bucket(bucket).path, {"products": summaries.pack(found)}


def _statistics(products: list[Product]) -> Iterable[Write]:
    retailers = Counter(product.retailer for product in products)
    fields = {
        "total": len(products),
        "by_retailer": dict(retailers),
        "by_category": dict(Counter(product.category for product in products)),
        "last_updated": rfc3339(max(product.updated_at for product in products)),
    }
    yield "statistics/products", fields
    yield "statistics/product_pages", asdict(_marks(products))
    for slug in retailers:
        yield f"retailers/{slug}", {"slug": slug}


def _marks(products: list[Product]) -> Marks:
    rows = sorted((epoch_micros(product.created_at), product.id) for product in products)
    marks = Marks()
    for at in range(0, len(rows), RUN_ROWS):
        marks.micros.append(rows[at][0])
        marks.ids.append(rows[at][1])
        marks.rows.append(len(rows[at : at + RUN_ROWS]))
    return marks


def _matching(products: list[Product], matches: Matches, matcher: Matcher) -> Iterable[Write]:
    states: dict[str, dict[str, Any]] = defaultdict(
        lambda: {"keys": [], "partners": {}, "marks": {}}
    )
    lists: dict[str, dict[str, Any]] = defaultdict(dict)
    offers = {product.id: postings.offer_of(product) for product in products}
    for product, offer in zip(products, offers.values(), strict=True):
        for key in matcher.keys(offer):
            if len(lists[key]) < POSTING_CAP:
                lists[key] |= postings.added(offer)["entries"]
                states[product.id]["keys"].append(key)
    for a, b, match in matches:
        fields = pairs.fields(offers[a], offers[b], match)
        for one, other in ((a, b), (b, a)):
            states[one]["partners"][other] = match.confidence
            states[one]["marks"][other] = pairs.mark_of(fields)
        yield f"{pairs.COLLECTION}/{pairs.pair_id(a, b)}", fields
    for product_id, state in states.items():
        yield f"{pairs.STATES}/{product_id}", state
    for key, entries in lists.items():
        yield f"{postings.COLLECTION}/{key}", {"entries": entries}


def _matches(
    products: list[Product], demo: list[DemoProduct], matcher: Matcher
) -> Iterable[tuple[str, str, Match]]:
    of_item: dict[int, list[Product]] = defaultdict(list)
    for product, item in zip(products, demo, strict=True):
        of_item[item.item].append(product)
    for offers in of_item.values():
        for a, b in combinations(offers, 2):
            match = matcher.compare(postings.offer_of(a), postings.offer_of(b))
            if match.same(DEFAULTS.thresholds.duplicate_confidence):
                yield a.id, b.id, match


if __name__ == "__main__":
    main()
