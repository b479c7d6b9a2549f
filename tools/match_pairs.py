"""Says how surely pairs of offers are one product.

Called as `python -m tools.match_pairs DIR [--labels train.csv] --out scores.csv`.

DIR holds tableA.csv and tableB.csv (the same file twice means deduplication) and test.csv with the
pairs. `--labels` names pairs that people decided; without them the matcher teaches itself. What was
decided stands, as in the product: such a pair has 100 or 0, whatever its score, and `--all` writes
the confirmed and none of the refused; of several words on a pair the last one counts. How many of
the asked pairs were decided goes to standard error. A pair's confidence depends on the tables and
on `--labels` alone.

What cannot be read ends it with status 2 and a line that names the file and the line, and so does a
pair of an offer that is in no table. Of `--labels` such pairs are passed over with a warning.
"""

import argparse
import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from shared.products.matching import train
from shared.products.matching.bulk import accepted, scoring_of
from shared.products.matching.logistic import probability
from shared.products.matching.scoring import Scoring
from shared.products.pairs import CERTAIN
from tools.match_tables import Row, Tables, Unreadable, read_lines, read_rows, read_tables

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Places = NDArray[np.intp]

__all__ = ["Row", "Tables", "decisions_of", "main", "read_rows", "read_tables"]

SAME_FROM: Final = 50
_HEADER: Final = ("ltable_id", "rtable_id", "confidence")

_IDS: Final = ("ltable_id", "rtable_id")

Words = Mapping[tuple[int, int], bool]
"""Whether people said of two places, the lower one first, that they are one product."""


def decisions_of(tables: Tables, rows: Sequence[Row]) -> list[tuple[str, str, bool]]:
    """The labelled rows as decisions of people."""
    return [
        (tables.offers[a].id, tables.offers[b].id, row["label"].strip() == "1")
        for row, a, b in zip(rows, *tables.places(rows), strict=True)
    ]


def confidences(scoring: Scoring, left: "Places", right: "Places") -> "NDArray[np.float64]":
    """(n) from 0 to 100; 50 and above means the same product."""
    certain: NDArray[np.float64] = 100 * probability(scoring.log_odds(left, right))
    return certain


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the pairs with their confidences."""
    asked = _parser().parse_args(arguments)
    try:
        count = _write(asked)
    except (Unreadable, OSError) as error:
        print(f"match_pairs: {error}", file=sys.stderr)
        return 2
    print(f"{count:,} pairs in {asked.out}")
    return 0


def _write(asked: argparse.Namespace) -> int:
    tables = read_tables(asked.dir)
    labels = _labels(asked.labels, tables) if asked.labels else []
    pairs = [] if asked.all else _asked(asked.pairs or asked.dir / "test.csv", tables)
    scoring = scoring_of(tables.offers, train(tables.offers, decisions_of(tables, labels)))
    words = words_of(tables, labels)
    rows = list(
        _accepted(tables, scoring, words) if asked.all else _judged(pairs, tables, scoring, words)
    )
    with asked.out.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([_HEADER, *rows])
    if words and (decided := _decided(pairs, tables, words)):
        told = f"{decided:,} of the {len(pairs):,} pairs are decided by {asked.labels.name}"
        print(f"match_pairs: {told}", file=sys.stderr)
    return len(rows)


def _decided(pairs: Sequence[Row], tables: Tables, words: Words) -> int:
    """How many of the asked pairs have a person's word for their score: they measure nothing."""
    places = tables.places(list(map(_stripped, pairs)))
    return sum(_pair(a, b) in words for a, b in zip(*places, strict=True))


def words_of(tables: Tables, labels: Sequence[Row]) -> Words:
    """What the labelled rows say of pairs of places; the last word on a pair counts."""
    return {
        _pair(a, b): row["label"] == "1"
        for row, a, b in zip(labels, *tables.places(labels), strict=True)
    }


def _judged(
    pairs: Sequence[Row], tables: Tables, scoring: Scoring, words: Words
) -> Iterator[tuple[str, str, str]]:
    left, right = tables.places(list(map(_stripped, pairs)))
    for pair, a, b, sure in zip(pairs, left, right, confidences(scoring, left, right), strict=True):
        word = words.get(_pair(a, b))
        said = sure if word is None else CERTAIN * word
        yield pair["ltable_id"], pair["rtable_id"], f"{said:.2f}"


def _accepted(tables: Tables, scoring: Scoring, words: Words) -> Iterator[tuple[str, str, str]]:
    """The candidates that count as the same product, and what one retailer lists twice.

    And what people confirmed, but nothing that they refused.
    """
    names = {at: name for name, at in tables.right.items()}
    first = {at: name for name, at in tables.left.items()}
    found = accepted(scoring, SAME_FROM)
    sure = {
        _pair(a, b): float(confidence)
        for a, b, confidence in zip(found.left, found.right, found.likely, strict=True)
    }
    sure |= {pair: float(CERTAIN * same) for pair, same in words.items()}
    for (a, b), confidence in sure.items():
        if confidence >= SAME_FROM and a in first and b in names:
            yield first[a], names[b], f"{confidence:.2f}"


def _pair(a: int, b: int) -> tuple[int, int]:
    return min(int(a), int(b)), max(int(a), int(b))


def _asked(path: Path, tables: Tables) -> list[Row]:
    """The pairs that are to be judged, their ids as they are written."""
    rows = []
    for line, row in read_lines(path, _IDS):
        if unknown := tables.unknown(_stripped(row)):
            raise Unreadable(path, line, unknown)
        rows.append(row)
    return rows


def _labels(path: Path, tables: Tables) -> list[Row]:
    """The pairs that were decided; of what is in no table nothing can be learned."""
    rows, strange = [], []
    for line, written in read_lines(path, (*_IDS, "label")):
        row = _stripped(written) | {"label": written["label"].strip()}
        if row["label"] not in ("0", "1"):
            raise Unreadable(path, line, f"the label is neither 1 nor 0: {row['label']!r}")
        if unknown := tables.unknown(row):
            strange.append((line, unknown))
        else:
            rows.append(row)
    if strange:
        (line, unknown), count = strange[0], len(strange)
        more = f"; passed over, and {count - 1:,} more" if count > 1 else "; passed over"
        print(f"match_pairs: {path.name}, line {line}: {unknown}{more}", file=sys.stderr)
    return rows


def _stripped(row: Row) -> Row:
    """The ids as the tables have them."""
    return {name: row[name].strip() for name in _IDS}


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
