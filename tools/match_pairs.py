"""Says how surely pairs of offers are one product.

Called as `python -m tools.match_pairs DIR [--labels train.csv] --out scores.csv`.

DIR holds tableA.csv and tableB.csv (the same file twice means deduplication) and test.csv with the
pairs. `--labels` names pairs that people decided; without them the matcher teaches itself. A pair's
confidence depends on the tables and on `--labels` alone.
"""

import argparse
import csv
import re
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from shared.products.matching import MatchModel, Offer, train
from shared.products.matching.bulk import accepted, scoring_of
from shared.products.matching.logistic import probability
from shared.products.matching.scoring import Scoring

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Places = NDArray[np.intp]

SAME_FROM: Final = 50
_HEADER: Final = ("ltable_id", "rtable_id", "confidence")
# What tables call what an offer says.
_COLUMNS: Final = {
    "name": ("name", "title", "product_name", "product_title"),
    "brand": ("brand", "manufacturer", "brand_name"),
    "model": ("model", "modelno", "model_number", "mpn", "sku"),
    "size": ("size",),
    "category": ("category", "product_type"),
    "description": ("description",),
    "price": ("price", "list_price"),
    "currency": ("currency", "pricecurrency"),
    "retailer": ("retailer",),
}
_NOTHING: Final = frozenset({"", "-", "nan", "none", "null", "n/a", "na"})
_PIECES: Final = re.compile(r"[\s_-]+")
_MOST_PIECES: Final = 4
_NUMBER: Final = re.compile(r"(?<![-.\d])\d{1,12}(?:\.\d{1,6})?")

Row = dict[str, str]


class Tables(msgspec.Struct, frozen=True):
    """The offers of both tables, and where each table's ids stand among them."""

    offers: list[Offer]
    left: dict[str, int]
    right: dict[str, int]

    def places(self, rows: Sequence[Row]) -> "tuple[Places, Places]":
        """The pairs of rows as places among the offers."""
        left = [self.left[row["ltable_id"]] for row in rows]
        right = [self.right[row["rtable_id"]] for row in rows]
        return np.array(left, np.intp), np.array(right, np.intp)


def read_tables(folder: Path) -> Tables:
    """tableA.csv and tableB.csv; one catalogue where both files are the same."""
    a, b = folder / "tableA.csv", folder / "tableB.csv"
    first = {row["id"]: _offer("A", row) for row in read_rows(a)}
    left = {name: at for at, name in enumerate(first)}
    if a.read_bytes() == b.read_bytes():
        return Tables(list(first.values()), left, left)
    second = {row["id"]: _offer("B", row) for row in read_rows(b)}
    right = {name: at + len(first) for at, name in enumerate(second)}
    offers = _source("A", [*first.values()]) + _source("B", [*second.values()])
    return Tables(offers, left, right)


def decisions_of(tables: Tables, rows: Sequence[Row]) -> list[tuple[str, str, bool]]:
    """The labelled rows as decisions of people."""
    return [
        (tables.offers[a].id, tables.offers[b].id, row["label"].strip() == "1")
        for row, a, b in zip(rows, *tables.places(rows), strict=True)
    ]


def learned(tables: Tables, labels: Path | None) -> MatchModel:
    """The model of the tables and of the labelled pairs, if there are any."""
    return train(tables.offers, decisions_of(tables, list(read_rows(labels))) if labels else [])


def confidences(scoring: Scoring, left: "Places", right: "Places") -> "NDArray[np.float64]":
    """(n) from 0 to 100; 50 and above means the same product."""
    certain: NDArray[np.float64] = 100 * probability(scoring.log_odds(left, right))
    return certain


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the pairs with their confidences."""
    asked = _parser().parse_args(arguments)
    tables = read_tables(asked.dir)
    scoring = scoring_of(tables.offers, learned(tables, asked.labels))
    if asked.all:
        rows = list(_accepted(tables, scoring))
    else:
        pairs = list(read_rows(asked.pairs or asked.dir / "test.csv"))
        sure = confidences(scoring, *tables.places(pairs))
        rows = [
            (pair["ltable_id"], pair["rtable_id"], f"{confidence:.2f}")
            for pair, confidence in zip(pairs, sure, strict=True)
        ]
    with asked.out.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([_HEADER, *rows])
    print(f"{len(rows):,} pairs in {asked.out}")
    return 0


def _accepted(tables: Tables, scoring: Scoring) -> Iterator[tuple[str, str, str]]:
    """The candidates that count as the same product, and what one retailer lists twice."""
    names = {at: name for name, at in tables.right.items()}
    first = {at: name for name, at in tables.left.items()}
    found = accepted(scoring, SAME_FROM)
    for a, b, confidence in zip(found.left, found.right, found.likely, strict=True):
        if int(a) in first and int(b) in names:
            yield first[int(a)], names[int(b)], f"{confidence:.2f}"


def _source(table: str, offers: list[Offer]) -> list[Offer]:
    """The offers of one of two tables, which is a source of its own where it names no retailer."""
    if any(offer.retailer for offer in offers):
        return offers
    return [msgspec.structs.replace(offer, retailer=table) for offer in offers]


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a CSV file, whose columns are named in whatever case."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        header = [name.strip().lower() for name in next(rows, [])]
        yield from (dict(zip(header, row, strict=False)) for row in rows if row)


def _offer(table: str, row: Row) -> Offer:
    said = {name: _said(row, names) for name, names in _COLUMNS.items()}
    price_minor = _minor(said.pop("price"))
    said["model"] = _written_as_one(said["model"])
    return Offer(id=table + row["id"], price_minor=price_minor, **said)


def _said(row: Row, names: Sequence[str]) -> str:
    """What the first of the columns says that says anything."""
    cells = ((row.get(name) or "").strip() for name in names)
    return next((cell for cell in cells if cell.casefold() not in _NOTHING), "")


def _written_as_one(model: str) -> str:
    """A model number in pieces is one: "RD 966-JKD" is RD966JKD."""
    pieces = _PIECES.split(model)
    code = len(pieces) <= _MOST_PIECES and any(map(str.isdigit, model))
    return "".join(pieces) if code else model


def _minor(price: str) -> int:
    number = _NUMBER.search(price.replace(",", ""))
    return round(Decimal(number[0]) * 100) if number else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.match_pairs", description=__doc__)
    parser.add_argument("dir", type=Path, metavar="DIR", help="holds tableA.csv and tableB.csv")
    parser.add_argument("--labels", type=Path, help="pairs with a label of 1 or 0 to learn from")
    parser.add_argument("--pairs", type=Path, help="the pairs to judge; else DIR/test.csv")
    parser.add_argument("--all", action="store_true", help="match the tables, write what matches")
    parser.add_argument("--out", type=Path, required=True, help="where to write the confidences")
    return parser


if __name__ == "__main__":
    sys.exit(main())
