"""Which offers of a whole catalogue may be one product: found in sorted columns, block by block.

Offers meet in a rare word. What is common to more than a list takes makes a key of every two such
words; where still too many meet, size and price part the siblings; and where that does not help
either, the key says nothing and is left out.
"""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from shared.products.matching.columns import Prepared
from shared.products.matching.keys import BAND, POSTING_CAP, SIZE_STEP, STEM
from shared.products.matching.terms import NUMBER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Places = NDArray[np.int64]
    Floats = NDArray[np.float32]

MOST: Final = 4
MARGIN: Final = 0.25
# A block's pairs before they are thinned out: what 35 MB hold.
_BLOCK_PAIRS: Final = 500_000
_WAITING_PAIRS: Final = 3_000_000
MOST_WORDS: Final = 6
_FIRST, _SECOND = np.triu_indices(MOST_WORDS, 1)
_PLACE_BITS: Final = 32
WORD_BITS: Final = 31
_NO_DETAIL: Final = np.zeros(1, np.int64)
MIX: Final = np.uint64(0x9E3779B97F4A7C15)
_SAME_SIZE, _SIZE, _SAME_PRICE, _PRICE = np.array([0.15, 0.2, 0.1, 0.4], np.float32)
_EQUAL_PRICE: Final = 0.005
_FAR, _PRICE_UNKNOWN = 1.0, 0.25


class Pairs(msgspec.Struct, frozen=True):
    """n pairs of offers by place, and how likely each is before it is looked at closely."""

    left: "Places"
    right: "Places"
    likely: "Floats"

    def __len__(self) -> int:
        return len(self.left)

    def only(self, chosen: "NDArray[Any]") -> "Pairs":
        """Those of `chosen`, a mask or places."""
        return Pairs(self.left[chosen], self.right[chosen], self.likely[chosen])


class Index:
    """A catalogue's offers by what they share."""

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        self.term_ids = {term: at for at, term in enumerate(prepared.spelling)}
        self.ids, self.lengths, self.words = _rarest(prepared)
        self.lists = self.lengths[self.words]
        self.rarity = self.rarity_of(self.lists)
        self.total = self.rarity.sum(1)
        keys, rows, said = self._grouped()
        # By key, then retailer: an offer's partners begin where its retailer's run ends.
        shops = _sources(prepared)
        bits = int(shops.max(initial=0)).bit_length()
        keys = (keys >> bits << bits) | shops[rows]
        order = np.argsort(keys)
        keys, rows, said = keys[order], rows[order], said[order]
        group, run = _run_ends(keys >> bits), _run_ends(keys)
        met = np.flatnonzero(group > run)
        met = met[np.argsort(rows[met], kind="stable")]
        self.partner, self.owner, self.said = rows, rows[met], said[met]
        self.starts, self.ends = run[met], group[met]
        keys >>= bits
        self.firsts = np.flatnonzero(np.diff(keys, prepend=-1, append=-1))
        self.keys, self.bits = keys[self.firsts[:-1]], bits

    def blocks(self) -> Iterator[slice]:
        """Parts of the entries that can be matched by themselves; none parts an offer's entries."""
        so_far = np.cumsum(self.ends - self.starts)
        begin = 0
        while begin < len(self.owner):
            before = so_far[begin - 1] if begin else 0
            end = int(np.searchsorted(so_far, before + _BLOCK_PAIRS, side="right"))
            end = max(end, begin + 1)
            if end < len(self.owner):
                last = self.owner[end]
                first = int(np.searchsorted(self.owner, last))
                end = first if first > begin else int(np.searchsorted(self.owner, last, "right"))
            yield slice(begin, end)
            begin = end

    def pairs(self, block: slice) -> Pairs:
        """The likely pairs of a block: for each offer the best few of it per other retailer."""
        starts, counts = self.starts[block], self.ends[block] - self.starts[block]
        entry = np.repeat(np.arange(block.start, block.stop), counts)
        inner = np.arange(len(entry)) - np.repeat(np.cumsum(counts) - counts, counts)
        right = self.partner[np.repeat(starts, counts) + inner]
        merged = _merged(self.owner[entry], right, self.said[entry])
        return best(self._rated(*merged), self.prepared, MOST, MARGIN)

    def all_pairs(self) -> Pairs:
        """The likely pairs of all blocks: for each offer the best few per other retailer."""
        parts: list[Pairs] = []
        for block in self.blocks():
            parts.append(self.pairs(block))
            # What is none of the best few so far is none in the end.
            if sum(map(len, parts[1:])) > _WAITING_PAIRS:
                parts = [best(joined(parts), self.prepared, MOST, MARGIN)]
        return best(joined(parts), self.prepared, MOST, MARGIN) if parts else joined(parts)

    def rarity_of(self, lists: "Places") -> "Floats":
        """How much a word tells that so many offers have; one that no other has tells nothing."""
        return (np.log((len(self.prepared) + 1) / np.maximum(lists, 1)) * (lists > 1)).astype("f4")

    def _grouped(self) -> "tuple[Places, Places, Places]":
        """Keys, their rows, and as bits which of the row's words make them."""
        p = self.prepared
        details = np.stack(details_of(p.log_size, p.dimension, p.log_price))
        keys, rows, said = alone(self.words, self.lists)
        found = [(keys, rows, said)]
        keys, rows, said = together(self.words, self.lists)
        small = _group_sizes(keys) <= POSTING_CAP
        found.append((keys[small], rows[small], said[small]))
        keys, rows, said = keys[~small], rows[~small], said[~small]
        for finer, known in finer_keys(keys, details[:, rows]):
            few = _group_sizes(finer) <= POSTING_CAP
            found.append((finer[few], rows[known[few]], said[known[few]]))
        keys, rows, said = map(np.concatenate, zip(*found, strict=True))
        return keys, rows, said

    def _rated(self, left: "Places", right: "Places", said: "Places") -> Pairs:
        """How much of the rarest words, of the sizes and of the prices agrees."""
        p = self.prepared
        weight = np.zeros(len(left), np.float32)
        for at in range(MOST_WORDS):
            weight += self.rarity[left, at] * (said >> at & 1)
        names = weight / np.maximum(self.total[left] + self.total[right] - weight, 1e-6)
        sizes = p.log_size[left] - p.log_size[right]
        sizes[p.dimension[left] != p.dimension[right]] = np.nan
        apart = p.log_price[left] - p.log_price[right]
        apart[p.currency[left] != p.currency[right]] = np.nan
        return Pairs(left, right, likeliness(names, sizes, apart))


def joined(parts: Sequence[Pairs]) -> Pairs:
    """All pairs of the parts."""
    nothing = Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))
    columns = zip(*([p.left, p.right, p.likely] for p in (nothing, *parts)), strict=True)
    return Pairs(*map(np.concatenate, columns))


def likeliness(names: "Floats", sizes: "Floats", prices: "Floats") -> "Floats":
    """A first guess from what the names share and from the distances of sizes and prices."""
    sizes, prices = np.abs(sizes), np.abs(prices)
    same = _SAME_SIZE * (sizes <= SIZE_STEP) + _SAME_PRICE * (prices < _EQUAL_PRICE)
    sizes, prices = np.minimum(sizes, _FAR), np.minimum(prices, _FAR)
    sizes[np.isnan(sizes)] = 0
    prices[np.isnan(prices)] = _PRICE_UNKNOWN
    likely: Floats = names + same - _SIZE * sizes - _PRICE * prices
    return likely


def best(
    pairs: Pairs, prepared: Prepared, most: int, margin: float = math.inf, *, both: bool = False
) -> Pairs:
    """Each offer's `most` likeliest per other retailer, at most `margin` behind the likeliest.

    What an unknown retailer sells has no rivals.
    With `both` only the pairs of which both offers say so.
    """
    shops = prepared.retailer.astype(np.int64) + 1
    count = int(shops.max(initial=0)) + 1
    votes = np.zeros(len(pairs), np.int8)
    for one, other in ((pairs.left, pairs.right), (pairs.right, pairs.left)):
        rivalry = one * count + shops[other]
        unknown = shops[other] == 0
        rivalry[unknown] = len(shops) * count + np.arange(np.count_nonzero(unknown))
        order, first = _by_likeliness(rivalry, pairs.likely)
        rivals = np.diff(first, append=len(order))
        near = np.arange(len(order)) - np.repeat(first, rivals) < most
        near &= pairs.likely[order] >= np.repeat(pairs.likely[order[first]] - margin, rivals)
        votes[order[near]] += 1
    return pairs.only(votes > both)


def _by_likeliness(rivals: "Places", likely: "Floats") -> "tuple[Places, Places]":
    """The places by rivals, the likeliest first, and where each rivalry begins."""
    # One sort of whole numbers is ten times as fast as one of several columns.
    place_bits = len(rivals).bit_length()
    bits = min(20, 62 - place_bits - int(rivals.max(initial=0)).bit_length())
    worst = likely.max(initial=0) - likely
    worst *= ((1 << bits) - 1) / max(float(worst.max(initial=0)), 1e-6)
    codes = (rivals << bits | worst.astype(np.int64)) << place_bits | np.arange(len(rivals))
    codes.sort()
    first = np.flatnonzero(np.diff(codes >> (bits + place_bits), prepend=-1))
    return codes & ((1 << place_bits) - 1), first


def _sources(prepared: Prepared) -> "Places":
    """A number per retailer; an unknown one is another at each offer."""
    shops = prepared.retailer.astype(np.int64)
    return np.where(shops < 0, shops.max(initial=0) + 1 + np.arange(len(shops)), shops)


def alone(words: "Places", lists: "Places") -> "tuple[Places, Places, Places]":
    """The keys of the rare words: keys, rows, and as a bit which word it is."""
    rows, at = np.nonzero((lists > 1) & (lists <= POSTING_CAP))
    return _mixed(words[rows, at], _NO_DETAIL), rows, 1 << at


def together(words: "Places", lists: "Places") -> "tuple[Places, Places, Places]":
    """The keys of every two common words: keys, rows, and as bits which words they are."""
    common = np.where(lists > POSTING_CAP, words, 0)
    first, second = common[:, _FIRST], common[:, _SECOND]
    keys = np.minimum(first, second) << WORD_BITS | np.maximum(first, second)
    rows, at = np.nonzero((first > 0) & (second > 0))
    return _mixed(keys[rows, at], _NO_DETAIL), rows, (1 << _FIRST | 1 << _SECOND)[at]


def finer_keys(keys: "Places", details: "Places") -> "Iterator[tuple[Places, Places]]":
    """The keys with each detail of their rows, and the places of those whose detail is known."""
    for number, detail in enumerate(details):
        known = np.flatnonzero(detail >= 0)
        yield _mixed(keys[known], detail[known] * 4 + number + 1), known


def _rarest(prepared: Prepared) -> "tuple[dict[str, int], Places, Places]":
    """Ids of stems, in how many offers each stands, and (n, _WORDS) each offer's rarest.

    A stem that no other offer has leads nowhere, and is none of them.
    """
    ids: dict[str, int] = {}
    stems = [ids.setdefault(term[:STEM], len(ids) + 1) for term in prepared.spelling[1:]]
    stem_of = np.array([0, *stems], np.int32)
    words = np.where(prepared.kind[prepared.terms] != NUMBER, stem_of[prepared.terms], 0)
    lengths = np.bincount(words.ravel(), minlength=len(ids) + 1)
    lengths[0] = 0
    rank = np.where(lengths > 1, lengths, len(words) + 1)[words]
    order = np.argsort(rank, axis=1)[:, :MOST_WORDS]
    words = np.take_along_axis(words, order, 1).astype(np.int64)
    return ids, lengths, words * (lengths[words] > 1)


def details_of(
    log_size: "Floats", dimension: "NDArray[Any]", log_price: "Floats"
) -> "list[Places]":
    """What tells siblings apart: the size, and the price in two overlapping scales of bands."""
    known, priced = ~np.isnan(log_size), ~np.isnan(log_price)
    steps = np.rint(np.where(known, log_size, 0) / SIZE_STEP).astype(np.int64)
    bands = np.where(priced, log_price, 0) / BAND
    return [
        np.where(known, (steps + 1000) * 4 + dimension, -1),
        *(np.where(priced, np.floor(bands + by).astype(np.int64) + 1000, -1) for by in (0, 0.5)),
    ]


def _mixed(keys: "Places", details: "Places") -> "Places":
    mixed = (keys.astype(np.uint64) ^ details.astype(np.uint64) * MIX) * MIX
    return (mixed >> np.uint64(1)).astype(np.int64)


def _group_sizes(keys: "Places") -> "Places":
    order = np.argsort(keys)
    ends = _run_ends(keys[order])
    first = np.flatnonzero(np.diff(ends, prepend=-1))
    sizes = np.empty(len(keys), np.int64)
    sizes[order] = np.repeat(np.diff(first, append=len(keys)), np.diff(first, append=len(keys)))
    return sizes


def _run_ends(*columns: "NDArray[Any]") -> "Places":
    """Where the run of equal values ends in which each place stands."""
    size = len(columns[0])
    new = np.zeros(size, bool)
    new[:1] = True
    for column in columns:
        new[1:] |= column[1:] != column[:-1]
    first = np.flatnonzero(new)
    lengths = np.diff(first, append=size)
    return np.repeat(first + lengths, lengths)


def _merged(left: "Places", right: "Places", said: "Places") -> "tuple[Places, Places, Places]":
    """Each pair once, with the words that any of its keys is made of."""
    if not len(left):
        return left, right, said
    base = int(left[0])
    codes = (left - base) << (_PLACE_BITS + MOST_WORDS) | right << MOST_WORDS | said
    codes.sort()
    pairs = codes >> MOST_WORDS
    first = np.flatnonzero(np.diff(pairs, prepend=-1))
    said = np.bitwise_or.reduceat(codes & ((1 << MOST_WORDS) - 1), first)
    pairs = pairs[first]
    return (pairs >> _PLACE_BITS) + base, pairs & ((1 << _PLACE_BITS) - 1), said
