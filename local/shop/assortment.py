"""What the shop sells, the same in each run: the truth that a crawl of it is measured by."""

from dataclasses import dataclass
from typing import Final, Literal

from local.demo.assortment import KINDS, Kind

RETAILER: Final = "Corner Shop"
EACH: Final = 42

Markup = Literal[
    "json-ld", "json-ld graph", "microdata", "crossed out", "in words", "cards", "euros", "script"
]
Availability = Literal["in_stock", "limited", "out_of_stock"]

# Each department writes its pages in a way of its own.
DEPARTMENTS: Final[dict[str, Markup]] = {
    "biscuits": "json-ld",
    "chips-and-savouries": "json-ld graph",
    "chocolate": "microdata",
    "tea": "crossed out",
    "soft-drinks": "in words",
    "juices-and-cordials": "cards",
    "cooking-oil": "euros",
    "ice-cream": "script",
}
_AVAILABILITY: Final[tuple[Availability, ...]] = ("in_stock", "limited", "out_of_stock")
_IN_STOCK_OF_TEN: Final = 8
_WEIGHED: Final = {"g": (100, "100g"), "ml": (100, "100ml"), "kg": (1, "kg"), "l": (1, "l")}


@dataclass(frozen=True, slots=True)
class Item:
    """One product; amounts in hundredths of `currency`, `former_minor` before a reduction."""

    number: int
    category: str
    markup: Markup
    name: str
    brand: str
    size: str
    currency: str
    price_minor: int
    former_minor: int | None
    per_minor: int | None
    per: str | None
    availability: Availability

    @property
    def sku(self) -> str:
        """The shop's own number of the product."""
        return f"CS-{self.number:05d}"

    @property
    def path(self) -> str:
        """Where its page is; a script's department lies apart."""
        words = "".join(c if c.isalnum() else "-" for c in self.name.lower())
        root = "app" if self.markup == "script" else "p"
        return f"/{root}/{self.number}-{'-'.join(filter(None, words.split('-')))}"

    @property
    def image(self) -> str:
        """Where its picture would be."""
        return f"/images/{self.sku.lower()}.webp"


def items() -> list[Item]:
    """Everything, department by department."""
    found: list[Item] = []
    for category, markup in DEPARTMENTS.items():
        sold = [(kind, *each) for kind in KINDS if kind.category == category for each in _all(kind)]
        # Every so many, so that all makers and sizes are among them.
        for step in range(EACH):
            kind, brand, variety, size, rupees = sold[step * len(sold) // EACH]
            found.append(
                _item(len(found) + 1, category, markup, (brand, variety, kind.noun, size), rupees)
            )
    return found


def _all(kind: Kind) -> list[tuple[str, str, str, int]]:
    return [
        (brand, variety, *_sized(size))
        for brand in kind.brands.split()
        for variety in kind.varieties.split("|")
        for size in kind.sizes.split("|")
    ]


def _sized(text: str) -> tuple[str, int]:
    size, _, rupees = text.partition("=")
    return size, int(rupees)


def _item(
    number: int, category: str, markup: Markup, words: tuple[str, str, str, str], rupees: int
) -> Item:
    brand, variety, noun, size = words
    # Some prices pass a thousand, some have cents, some are reduced.
    price = rupees * 100 * (1 + 9 * (number % 7 == 0)) + (number * 37 % 20) * 5
    shown = markup in ("crossed out", "in words", "euros")
    former = price + 4_000 + number % 9 * 500 if shown and number % 3 == 0 else None
    per_minor, per = _per(price, size) if markup in ("crossed out", "in words") else (None, None)
    return Item(
        number=number,
        category=category,
        markup=markup,
        name=f"{brand.replace('-', ' ')} {variety} {noun} {size.replace(' ', '')}",
        brand=brand.replace("-", " "),
        size=size,
        currency="EUR" if markup == "euros" else "LKR",
        price_minor=price,
        former_minor=former,
        per_minor=per_minor,
        per=per,
        availability=_AVAILABILITY[max(0, number % 10 - _IN_STOCK_OF_TEN + 1)],
    )


def _per(price_minor: int, size: str) -> tuple[int | None, str | None]:
    amount, unit = size.split()
    if unit not in _WEIGHED:
        return None, None
    each, written = _WEIGHED[unit]
    return round(price_minor * each / float(amount)), written
