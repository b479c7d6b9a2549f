"""How differently two shops write one product: `python -m tests.benchmarks.noise`.

The labelled matches of the real groceries are compared, and the rates go by hand into NOISE of
tests/benchmarks/generated.py. Nothing of the data itself is kept.
"""

import csv
import math
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from shared.products.matching.quantity import Quantity, quantity, without_quantity
from shared.products.matching.text import canonical, tokens
from tests.datasets import data_dir

SETS: Final = ("il-grocery", "lk-grocery")
_SIZE_TOLERANCE: Final = 0.06
_SHORTENED_LETTERS: Final = 2

Row = dict[str, str]
Pair = tuple[Row, Row]


def matches(folder: Path) -> list[Pair]:
    """The labelled matches of one data set."""
    tables = [_table(folder / f"table{side}.csv") for side in "AB"]
    found = set()
    for split in ("train", "valid", "test"):
        path = folder / f"{split}.csv"
        if path.exists():
            rows = csv.DictReader(path.open(encoding="utf-8"))
            found |= {(r["ltable_id"], r["rtable_id"]) for r in rows if r["label"] == "1"}
    return [(tables[0][a], tables[1][b]) for a, b in sorted(found)]


def rates(pairs: list[Pair]) -> Iterator[tuple[str, float]]:
    """What share of the matches differs in which way, and by how much the prices do."""
    words = [(_words(a), _words(b)) for a, b in pairs]
    yield "matches", len(pairs)
    yield (
        "same words, another order",
        _share(
            (sorted(a) == sorted(b) and a != b) or _common(a, b) != _common(b, a) for a, b in words
        ),
    )
    yield (
        "first word is not in the other name",
        _share(
            each[0] not in other for pair in words for each, other in (pair, pair[::-1]) if each
        ),
    )
    yield (
        "words of the name that the other lacks",
        _share(
            word not in other
            for pair in words
            for each, other in (pair, pair[::-1])
            for word in each
        ),
    )
    yield (
        "words that the other shortens or lengthens",
        _share(
            word not in other and any(_shortened(word, o) for o in other)
            for pair in words
            for each, other in (pair, pair[::-1])
            for word in each
        ),
    )
    sizes = [(_size(a), _size(b)) for a, b in pairs]
    yield "one of the two has no size", _share((a is None) != (b is None) for a, b in sizes)
    both = [(a, b) for a, b in sizes if a and b and a.dimension == b.dimension]
    yield (
        "sizes differ by more than 6 %",
        _share(abs(math.log(a.value / b.value)) > _SIZE_TOLERANCE for a, b in both),
    )
    written = [(_written(a), _written(b)) for a, b in pairs if _size(a) == _size(b) is not None]
    yield "one size, spelt differently", _share(a != b for a, b in written)
    apart = sorted(
        abs(math.log(float(a["price"]) / float(b["price"])))
        for a, b in pairs
        if float(a["price"] or 0) and float(b["price"] or 0)
    )
    yield "equal prices", _share(each == 0 for each in apart)
    for percent in (25, 50, 75, 90, 95):
        yield f"price apart (log), {percent}th percentile", apart[len(apart) * percent // 100]
    yield "price apart (log), mean", statistics.fmean(apart)


def _table(path: Path) -> dict[str, Row]:
    return {row["id"]: row for row in csv.DictReader(path.open(encoding="utf-8"))}


def _share(said: Iterator[bool]) -> float:
    found = list(said)
    return sum(found) / len(found) if found else math.nan


def _words(row: Row) -> list[str]:
    return list(map(canonical, tokens(without_quantity(row["name"]))))


def _common(a: list[str], b: list[str]) -> list[str]:
    return [word for word in dict.fromkeys(a) if word in b]


def _shortened(word: str, other: str) -> bool:
    short, long = sorted((word, other), key=len)
    return len(short) >= _SHORTENED_LETTERS and long != short and long.startswith(short)


def _size(row: Row) -> Quantity | None:
    return quantity(row["size"]) or quantity(row["name"])


def _written(row: Row) -> str:
    return (row["size"] or row["name"]).casefold()


if __name__ == "__main__":
    folder = data_dir()
    if folder is None:
        sys.exit("no data: set SHOPPLE_DATA to the folder of data sets")
    for name in SETS:
        sys.stdout.write(f"{name}\n")
        for label, rate in rates(matches(folder / "matching" / name)):
            sys.stdout.write(f"  {label:<46} {rate:.3f}\n")
