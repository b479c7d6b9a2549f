"""Catalogues of any size in which it is known what is the same product; the same for a seed.

A family is a brand's line of goods; its siblings differ in flavour and size only. Each retailer
sells its part of the families, writes their names in its own way, and sells its own label besides,
which no other has.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from shared.products.matching import Offer

Numbers = npt.NDArray[np.int64]
Texts = npt.NDArray[np.object_]


class Noise(NamedTuple):
    """How differently two shops write one product, as rates per pair, or per word of a pair."""

    reordered: float
    first_word_left_out: float
    word_gone: float
    word_respelt: float
    size_missing: float
    size_other: float
    size_respelt: float
    # Distance of the two prices (logarithm) at the percentiles 0, 25, 50, 75, 90, 95 and 100.
    price_apart: tuple[float, ...]


# All as `python -m tests.benchmarks.noise` prints them. Words, order and prices are those of the
# catalogues of the two Sri Lankan chains (22 matches labelled by hand: so no first word is missing
# there, and one in 24 is taken). One of those two chains states no sizes at all, so what is said
# of sizes is the mean of them and of two Israeli chains (1,500 matches by barcode).
NOISE: Final = Noise(
    reordered=0.23,
    first_word_left_out=0.04,
    word_gone=0.08,
    word_respelt=0.02,
    size_missing=0.45,
    size_other=0.056,
    size_respelt=0.28,
    price_apart=(0, 0, 0, 0.123, 0.163, 0.25, 0.6),
)
# The means of both pairs of chains, each of one weight: Hebrew names are cut to a till's width,
# and 44 % of their words have no equal in the other chain's name.
HARD_NOISE: Final = Noise(
    reordered=0.18,
    first_word_left_out=0.15,
    word_gone=0.20,
    word_respelt=0.065,
    size_missing=0.45,
    size_other=0.056,
    size_respelt=0.28,
    price_apart=(0, 0, 0.053, 0.174, 0.257, 0.348, 0.6),
)
PERCENTILES: Final = (0, 0.25, 0.50, 0.75, 0.90, 0.95, 1)
# A British chain's 15,024 names hold 70 n^0.46 different words, six a name, and 31 % begin with
# the chain's own name.
_WORDS_FACTOR: Final = 70
_WORDS_POWER: Final = 0.46
OWN_LABEL: Final = 0.31
# Without digits, as chains' names are: a house brand must not pass for a model code.
_SHOPS: Final = ("anders", "brightway", "cornerstone", "dunmore")
# Of what is not own label, a retailer sells this share.
_LISTED: Final = 0.8
_FLAVOURS: Final = 3
_SIZES: Final = 3
# Of the words that one name lacks, this share is words that the other has too many.
_FILLER_SHARE: Final = 0.6
_WORDS: Final = 5

_NOUNS: Final = """
    biscuits crackers noodles pasta rice flour oats cereal granola muesli bread rolls wraps cake
    wafers chocolate toffee gum jelly jam honey spread butter margarine cheese yoghurt milk cream
    custard juice nectar cordial cola lemonade water tea coffee cocoa soup sauce ketchup mustard
    mayonnaise vinegar oil ghee lentils beans chickpeas peas corn tuna sardines salmon prawns
    sausages ham bacon burger nuggets fillets chips crisps popcorn peanuts cashews almonds raisins
    dates pickle chutney paste curry masala salt sugar syrup shampoo conditioner soap lotion
    toothpaste deodorant detergent softener bleach cleaner tissues towels nappies wipes candles
"""
_TASTES: Final = """
    vanilla strawberry chocolate mango orange lemon lime apple banana coconut caramel hazelnut
    almond honey ginger garlic onion tomato chilli pepper cheese barbecue paprika salted unsalted
    original plain roasted smoked spicy sweet sour mild hot cinnamon mint peach raspberry cherry
    blackcurrant blueberry pineapple lavender rose jasmine aloe herbal masala chicken beef prawn
    vegetable mushroom sesame oat wheat multigrain light classic cool fresh
"""
_FILLERS: Final = """
    flavour flavoured style premium value pack the finest with free new natural local imported
    assorted special tasty family quality traditional real pure rich extra select kitchen bulk
"""
_SYLLABLES: Final = """
    ba be bi bo ca co da de di do fa fe fi ga go ha he hi jo ka ke ki ko la le li lo lu ma me mi mo
    mu na ne ni no nu pa pe pi po ra re ri ro ru sa se si so su ta te ti to tu va ve vi vo wa za zo
"""
_SIZE_STEPS: Final = np.array(
    [50, 75, 100, 125, 150, 200, 250, 330, 400, 500, 750, 1000, 1500, 2000]
)
_SPELLINGS: Final = ("{0}g", "{0} G", "{1}kg", "{1} Kg"), ("{0}ml", "{0} ML", "{1}L", "{1} ltr")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Offers of several retailers, and the product that each is; -1 where no other sells it."""

    offers: list[Offer]
    products: Numbers
    retailers: Numbers

    def matches(self) -> Iterator[tuple[int, int]]:
        """The pairs of offers, by place, that are one product at two retailers."""
        places: dict[int, list[int]] = {}
        for place, product in enumerate(self.products.tolist()):
            if product >= 0:
                places.setdefault(product, []).append(place)
        for same in places.values():
            for at, first in enumerate(same):
                yield from ((first, other) for other in same[at + 1 :])


@dataclass(frozen=True, slots=True)
class _Goods:
    """Families' words, and the flavour, size and price of each product."""

    family: Numbers
    flavour: Numbers
    size: Numbers
    price: npt.NDArray[np.float64]
    brand: Texts
    line: Texts
    noun: Texts
    liquid: npt.NDArray[np.bool_]


def catalogue(size: int, retailers: int = 2, seed: int = 4, noise: Noise = NOISE) -> Catalogue:
    """About `size` offers, shared out over the retailers; nine siblings a family."""
    rng = np.random.default_rng(seed)
    branded = round(size * (1 - OWN_LABEL) / retailers / _LISTED)
    own = round(size * OWN_LABEL / retailers)
    words = _vocabulary(rng, round(_WORDS_FACTOR * branded**_WORDS_POWER))
    goods = _goods(rng, branded, words)
    parts: list[tuple[int, list[Offer], Numbers | None]] = []
    for number in range(retailers):
        label = _goods(rng, own, words, brand=_SHOPS[number])
        listed = np.flatnonzero(rng.random(branded) < _LISTED)
        parts.append((number, _offers(rng, number, goods, listed, noise), listed))
        parts.append((number, _offers(rng, number, label, np.arange(own), noise), None))
    offers = [offer for _, made, _ in parts for offer in made]
    known = [np.full(len(m), -1) if listed is None else listed for _, m, listed in parts]
    sold = np.concatenate([np.full(len(made), number) for number, made, _ in parts])
    order = rng.permutation(len(offers))
    offers = [replace(offers[at], id=str(n)) for n, at in enumerate(order.tolist())]
    return Catalogue(offers, np.concatenate(known)[order], sold[order])


def _vocabulary(rng: np.random.Generator, count: int) -> Texts:
    syllables = np.array(_SYLLABLES.split(), dtype=object)
    drawn = [syllables[rng.integers(len(syllables), size=2 * count)] for _ in range(4)]
    longer = rng.random((2, 2 * count)) < 0.5
    words = drawn[0] + drawn[1] + np.where(longer[0], drawn[2], "")
    words += np.where(longer[1], drawn[3], "")
    found = np.array(list(dict.fromkeys(words.tolist())), dtype=object)
    return found[:count]


def _zipf(rng: np.random.Generator, count: int, size: int) -> Numbers:
    """Ranks below `count`, drawn as often as words are: the k-th 1/k as often as the first."""
    # The inverse of the logarithm, which is what the harmonic sum comes to.
    drawn = np.exp(rng.random(size) * np.log(count + 1)) - 1
    ranks: Numbers = np.minimum(drawn.astype(np.int64), count - 1)
    return ranks


def _goods(rng: np.random.Generator, count: int, words: Texts, brand: str = "") -> _Goods:
    siblings = _FLAVOURS * _SIZES
    families = -(-count // siblings)
    nouns, half = np.array(_NOUNS.split(), dtype=object), len(words) // 3
    brands = words[:half][_zipf(rng, half, families)]
    lines = words[half:][_zipf(rng, len(words) - half, families)]
    within = np.arange(count) % siblings
    family = np.arange(count) // siblings
    # Neighbours on the scale of sizes, and flavours without repetition within a family.
    size = rng.integers(len(_SIZE_STEPS) - _SIZES + 1, size=families)[family] + within % _SIZES
    flavour = (
        rng.integers(len(_TASTES.split()), size=families)[family]
        + (within // _SIZES)
        * rng.integers(1, len(_TASTES.split()) // _FLAVOURS, size=families)[family]
    ) % len(_TASTES.split())
    unit = np.exp(rng.normal(0, 0.8, families))[family]
    return _Goods(
        family=family,
        flavour=flavour,
        size=_SIZE_STEPS[size],
        price=unit * _SIZE_STEPS[size] ** 0.85,
        brand=np.full(families, brand, dtype=object) if brand else brands,
        line=lines,
        noun=nouns[rng.integers(len(nouns), size=families)],
        liquid=rng.random(families) < 0.4,
    )


def _offers(
    rng: np.random.Generator, retailer: int, goods: _Goods, chosen: Numbers, noise: Noise
) -> list[Offer]:
    family = goods.family[chosen]
    tastes, fillers = (
        np.array(_TASTES.split(), dtype=object),
        np.array(_FILLERS.split(), dtype=object),
    )
    extra = fillers[rng.integers(len(fillers), size=len(chosen))]
    columns = [
        _left_out(rng, goods.brand[family], noise.first_word_left_out),
        *(
            _respelt(
                rng,
                _left_out(rng, words, (1 - _FILLER_SHARE) * noise.word_gone),
                noise.word_respelt,
            )
            for words in (goods.line[family], goods.noun[family], tastes[goods.flavour[chosen]])
        ),
        _left_out(rng, extra, 1 - _WORDS * _FILLER_SHARE * noise.word_gone),
    ]
    swapped = rng.random(len(chosen)) < noise.reordered / 2
    columns[1], columns[3] = (
        np.where(swapped, columns[3], columns[1]),
        np.where(swapped, columns[1], columns[3]),
    )
    sizes = _sizes(rng, retailer, goods, chosen, noise)
    price = goods.price[chosen] * np.exp(_price_noise(rng, len(chosen), retailer, noise))
    names = [" ".join(filter(None, row)) for row in zip(*columns, sizes, strict=True)]
    shop = _SHOPS[retailer]
    return [
        Offer("", shop, name, "", "", "", pence, "LKR")
        for name, pence in zip(
            names,
            np.maximum(1, np.rint(price * 10)).astype(np.int64).tolist(),
            strict=True,
        )
    ]


def _left_out(rng: np.random.Generator, words: Texts, rate: float) -> Any:
    return np.where(rng.random(len(words)) < rate, "", words)


def _respelt(rng: np.random.Generator, words: Any, rate: float) -> Any:
    """Some of the words shortened, some with a letter doubled."""
    chosen = np.flatnonzero(rng.random(len(words)) < rate)
    spelt = words.copy()
    for at in chosen.tolist():
        word = words[at]
        spelt[at] = word[: max(3, len(word) // 2)] if at % 2 else word[:2] + word[1:]
    return spelt


def _sizes(
    rng: np.random.Generator, retailer: int, goods: _Goods, chosen: Numbers, noise: Noise
) -> list[str]:
    """The sizes as they are written; the first retailer leaves out none."""
    count = len(chosen)
    amount = goods.size[chosen].astype(float)
    other = rng.random(count) < noise.size_other / 2
    amount = np.where(other, np.rint(amount * rng.choice([0.8, 0.9, 1.1, 1.2], count)), amount)
    spelling = np.where(rng.random(count) < noise.size_respelt, rng.integers(1, 4, count), 0)
    missing = rng.random(count) < (noise.size_missing if retailer else 0)
    liquid = goods.liquid[goods.family[chosen]].astype(int)
    return [
        "" if gone else _SPELLINGS[kind][spelt].format(f"{value:g}", f"{value / 1000:g}")
        for gone, kind, spelt, value in zip(
            missing.tolist(), liquid.tolist(), spelling.tolist(), amount.tolist(), strict=True
        )
    ]


def _price_noise(rng: np.random.Generator, count: int, retailer: int, noise: Noise) -> Any:
    """How far the retailer's price is from the first retailer's, up or down."""
    apart = np.interp(rng.random(count), PERCENTILES, noise.price_apart)
    return apart * rng.choice([-1, 1], count) * (retailer > 0)
