"""Three invented shops whose assortments overlap, each with its own wording and prices.

The generator is seeded and reads no clock: the same arguments give the same products.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from local.demo.assortment import KINDS, Kind
from shared.products.default_categories import DEFAULT_CATEGORIES, CategorySeed

SEED: Final = 20260101
NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
WEEKS: Final = 26
_CREATED_WITHIN: Final = timedelta(days=180)

# What share of all goods a shop carries, and its prices against the usual ones in percent.
_SHOPS: Final = {"keells": (0.78, 103), "cargills": (0.72, 100), "lankamart": (0.55, 96)}
_UNITS: Final = {
    "keells": {"g": "g", "kg": "kg", "ml": "ml", "l": "L", "pcs": "S"},
    "cargills": {"g": " g", "kg": " kg", "ml": " ml", "l": " l", "pcs": " pcs"},
    "lankamart": {"g": "G", "kg": "KG", "ml": "ML", "l": "LTR", "pcs": "'s"},
}
_BARE_NAME: Final = 0.4
_DROPPED_NOUN: Final = 0.12
_PROMOTION: Final = 0.07
_PROMOTION_PERCENT: Final = (5, 10, 15, 20, 25)


@dataclass(frozen=True, slots=True)
class DemoProduct:
    """One invented offer; offers with one `item` are the same product at different shops."""

    item: int
    sku: str
    name: str
    brand: str
    size: str
    category: str
    retailer: str
    price_minor: int
    currency: str
    created_at: datetime
    seed: int


@dataclass(frozen=True, slots=True)
class _Item:
    number: int
    kind: Kind
    brand: str
    variety: str
    amount: str
    unit: str
    rupees: int


def demo_categories() -> tuple[CategorySeed, ...]:
    """The category tree that the demo's products are filed in."""
    return DEFAULT_CATEGORIES


def demo_products(seed: int = SEED, now: datetime = NOW) -> list[DemoProduct]:
    """Every offer of the three shops, created during the 180 days before `now`."""
    chance = random.Random(seed)  # noqa: S311 - play data that must repeat
    return [offer for item in _items(chance) for offer in _offers(item, chance, now)]


def price_history(product: DemoProduct, until: datetime) -> list[tuple[datetime, int]]:
    """26 weekly prices up to `until`, the last being the product's own price."""
    chance = random.Random(product.seed)  # noqa: S311 - play data that must repeat
    drift = chance.uniform(-0.004, 0.009)
    points: list[tuple[datetime, int]] = []
    level = float(product.price_minor)
    for week in range(WEEKS):
        price = product.price_minor if week == 0 else _shelf_price(level)
        if week and chance.random() < _PROMOTION:
            price = _shelf_price(level * (100 - chance.choice(_PROMOTION_PERCENT)) / 100)
        points.append((until - timedelta(weeks=week), price))
        # Shelf prices stand still for weeks and then jump.
        if chance.random() < 1 / 4:
            level /= 1 + 4 * drift + chance.uniform(-0.015, 0.015)
    return points[::-1]


def _items(chance: random.Random) -> Iterator[_Item]:
    number = 0
    for kind in KINDS:
        for brand in kind.brands.split():
            dearer = chance.uniform(0.88, 1.18)
            for variety in kind.varieties.split("|"):
                factor = dearer * chance.uniform(0.94, 1.08)
                for size in kind.sizes.split("|"):
                    measure, rupees = size.split("=")
                    amount, unit = measure.split()
                    named = brand.replace("-", " ")
                    usual = round(int(rupees) * factor)
                    yield _Item(number, kind, named, variety, amount, unit, usual)
                    number += 1


def _offers(item: _Item, chance: random.Random, now: datetime) -> Iterator[DemoProduct]:
    for retailer, (share, percent) in _SHOPS.items():
        if chance.random() > share:
            continue
        size = _size(item, retailer)
        in_name = chance.random() > _BARE_NAME or retailer == "keells"
        name = _name(item, retailer, chance)
        price = item.rupees * percent * chance.uniform(0.97, 1.03)
        age = chance.random() * _CREATED_WITHIN
        yield DemoProduct(
            item=item.number,
            sku=f"{retailer[0].upper()}{100_000 + item.number}",
            name=f"{name} {size}" if in_name else name,
            brand=item.brand,
            size=size,
            category=item.kind.category,
            retailer=retailer,
            price_minor=_shelf_price(price),
            currency="LKR",
            created_at=now - age,
            seed=chance.getrandbits(48),
        )


def _size(item: _Item, retailer: str) -> str:
    amount, unit = item.amount, item.unit
    if retailer == "lankamart" and unit in ("kg", "l"):
        amount, unit = f"{float(amount) * 1000:.0f}", {"kg": "g", "l": "ml"}[unit]
    return f"{amount}{_UNITS[retailer][unit]}"


def _name(item: _Item, retailer: str, chance: random.Random) -> str:
    noun = "" if chance.random() < _DROPPED_NOUN else item.kind.noun
    if retailer == "cargills":
        return f"{item.brand} {noun}, {item.variety}" if noun else f"{item.brand} {item.variety}"
    words = f"{item.brand} {item.variety} {noun}".rstrip()
    if retailer == "lankamart":
        return words.upper().replace(" & ", " AND ")
    return words


def _shelf_price(minor: float) -> int:
    """A price as shelves show it: whole rupees, the larger ones in fives."""
    rupees = max(1, round(minor / 100))
    return 100 * (rupees if rupees < 200 else 5 * round(rupees / 5))  # noqa: PLR2004
