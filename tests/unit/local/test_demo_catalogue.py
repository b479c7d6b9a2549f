import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from local.demo.catalogue import WEEKS, demo_categories, demo_products, price_history
from shared.products.matching import DefaultMatcher, Offer
from shared.system.configuration_records import DEFAULTS

SAME_FROM = DEFAULTS.thresholds.duplicate_confidence
NOW = datetime(2026, 7, 1, tzinfo=UTC)
PRODUCTS = demo_products(now=NOW)


def test_there_is_enough_to_show() -> None:
    assert len(PRODUCTS) >= 2200
    assert len({product.retailer for product in PRODUCTS}) == 3
    assert len({(product.retailer, product.sku) for product in PRODUCTS}) == len(PRODUCTS)
    assert len({(product.retailer, product.name, product.size) for product in PRODUCTS}) == len(
        PRODUCTS
    )


def test_the_same_seed_gives_the_same_products() -> None:
    started = time.process_time()
    assert demo_products(now=NOW) == PRODUCTS
    assert time.process_time() - started < 0.5
    assert demo_products(seed=1, now=NOW) != PRODUCTS


def test_products_are_filed_in_leaves_of_the_tree() -> None:
    tree = demo_categories()
    groups = {category.id for category in tree if category.parent_id is None}
    leaves = {category.id for category in tree if category.parent_id in groups}
    assert groups | leaves == {category.id for category in tree}
    assert len(groups) + len(leaves) == len(tree)
    used = {product.category for product in PRODUCTS}
    assert used <= leaves
    assert len(used) >= 20


def test_many_products_are_sold_by_several_shops_in_other_words() -> None:
    by_item = defaultdict(list)
    for product in PRODUCTS:
        by_item[product.item].append(product)
    shared = [offers for offers in by_item.values() if len(offers) > 1]
    assert len(shared) >= len(by_item) / 2
    assert any(len(offers) == 3 for offers in shared)
    reworded = sum(len({offer.name for offer in offers}) == len(offers) for offers in shared)
    assert reworded >= 0.9 * len(shared)


def test_the_matcher_finds_most_of_them() -> None:
    matcher, by_item = DefaultMatcher(), defaultdict(list)
    for number, p in enumerate(PRODUCTS):
        offer = Offer(
            str(number), p.retailer, p.name, p.brand, p.size, p.category, p.price_minor, "LKR"
        )
        by_item[p.item].append(offer)
    pairs = [offers[:2] for offers in by_item.values() if len(offers) > 1]
    found = sum(
        matcher.compare(a, b).same(SAME_FROM) and bool(set(matcher.keys(a)) & set(matcher.keys(b)))
        for a, b in pairs
    )
    assert found >= 0.9 * len(pairs)


def test_creation_spreads_over_half_a_year() -> None:
    ages = [NOW - product.created_at for product in PRODUCTS]
    assert min(ages) >= timedelta(0)
    assert timedelta(days=170) < max(ages) <= timedelta(days=180)


def test_a_history_is_weekly_and_ends_at_the_present_price() -> None:
    changed = promoted = 0
    for product in PRODUCTS[::10]:
        history = price_history(product, NOW)
        assert history == price_history(product, NOW)
        assert len(history) == WEEKS
        assert history[-1] == (NOW, product.price_minor)
        moments, prices = zip(*history, strict=True)
        assert {later - earlier for earlier, later in pairwise(moments)} == {timedelta(weeks=1)}
        assert all(isinstance(price, int) and price > 0 for price in prices)
        changed += len(set(prices)) > 1
        promoted += min(prices) < 0.9 * sorted(prices)[WEEKS // 2]
    assert changed > 0.9 * len(PRODUCTS[::10])
    assert promoted > 0.2 * len(PRODUCTS[::10])
