"""The dashboard's figures out of all summaries: movers, index, volatility, coverage."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from statistics import median
from typing import Final

import msgspec

from shared.prices.summaries import WEEK_MICROS, Summary

MOVERS: Final = 10
# Of a product's offers at one retailer and its partners, a group of more is a mistaken chain; what
# people have merged counts once.
_LARGEST_GROUP: Final = 12

Summaries = Mapping[str, Summary]


class Mover(msgspec.Struct, frozen=True):
    """A product and how far its price has moved within a week."""

    product_id: str
    change_percent: float


class RetailerFigure(msgspec.Struct, frozen=True):
    """A figure of one retailer, and how many products it rests on."""

    retailer: str
    figure: float
    products: int


def fresh(summaries: Summaries, now_micros: int) -> dict[str, Summary]:
    """The products with a price of the last seven days."""
    return {p: s for p, s in summaries.items() if s.at_micros >= now_micros - WEEK_MICROS}


def movers(summaries: Summaries) -> tuple[list[Mover], list[Mover]]:
    """The products that rose the most and those that fell the most, largest first."""
    changes = [
        Mover(p, round((s.price_minor - s.week_ago_minor) * 100 / s.week_ago_minor, 2))
        for p, s in summaries.items()
        if s.week_ago_minor and s.price_minor != s.week_ago_minor
    ]
    changes.sort(key=lambda mover: (-mover.change_percent, mover.product_id))
    up = [mover for mover in changes[:MOVERS] if mover.change_percent > 0]
    down = [mover for mover in changes[: -MOVERS - 1 : -1] if mover.change_percent < 0]
    return up, down


def retailer_index(summaries: Summaries) -> list[RetailerFigure]:
    """Each retailer's price level on matched products; 100 is the mean of who sells them.

    It is the geometric mean of price over group mean (a Jevons index), so that a dear product
    counts no more than a cheap one and no choice of base retailer matters.
    """
    logs: dict[str, list[float]] = defaultdict(list)
    for group in _groups(summaries):
        prices: dict[str, list[float]] = defaultdict(list)
        for product_id in group:
            offer = summaries[product_id]
            prices[offer.retailer].append(math.log(offer.price_minor))
        if len(prices) > 1:
            levels = {retailer: sum(own) / len(own) for retailer, own in prices.items()}
            usual = sum(levels.values()) / len(levels)
            for retailer, level in levels.items():
                logs[retailer].append(level - usual)
    return [
        RetailerFigure(name, round(100 * math.exp(sum(own) / len(own)), 2), len(own))
        for name, own in sorted(logs.items())
    ]


def volatility(summaries: Summaries) -> list[RetailerFigure]:
    """The median volatility of each retailer's products, in percent."""
    spreads: dict[str, list[float]] = defaultdict(list)
    for summary in summaries.values():
        if summary.volatility_percent is not None:
            spreads[summary.retailer].append(summary.volatility_percent)
    return [
        RetailerFigure(name, round(median(own), 2), len(own))
        for name, own in sorted(spreads.items())
    ]


def priced_by_retailer(summaries: Iterable[Summary]) -> dict[str, int]:
    """How many products of each retailer there are summaries of."""
    counts: dict[str, int] = defaultdict(int)
    for summary in summaries:
        counts[summary.retailer] += 1
    return dict(counts)


def _groups(summaries: Summaries) -> list[list[str]]:
    """Products of one currency that are compared: merged, or hanging together by partners."""
    parents = {product_id: product_id for product_id in summaries}

    def root(product_id: str) -> str:
        while parents[product_id] != product_id:
            parents[product_id] = parents[parents[product_id]]
            product_id = parents[product_id]
        return product_id

    for product_id, summary in summaries.items():
        for other in summary.partners:
            if other in summaries and summaries[other].currency == summary.currency:
                parents[root(other)] = root(product_id)
    merged: dict[tuple[str, str], str] = {}
    for product_id, summary in summaries.items():
        if summary.group_id is not None:
            first = merged.setdefault((summary.group_id, summary.currency), product_id)
            parents[root(product_id)] = root(first)
    groups: dict[str, list[str]] = defaultdict(list)
    for product_id in summaries:
        if summaries[product_id].price_minor > 0:
            groups[root(product_id)].append(product_id)
    return [
        group
        for group in groups.values()
        if len(group) > 1
        and len({summaries[each].group_id or each for each in group}) <= _LARGEST_GROUP
    ]
