"""Says which category `local` gives the products of a catalogue, after so many labels.

    python -m tools.classify_local CSV --name-column NAME --category-column CATEGORY --labels N
        --out scores.csv

N products, drawn by `--split`, lend their categories; all others are classified, and are known to
`local` beforehand as texts without a category, as the catalogue's own are (`--unseen` keeps them
from it). Products told twice, and those whose category is empty or `unknown`, are left out.
A file that is no such catalogue, or leaves nothing to ask for, ends in one line and exit code 2.
`--no-synonyms` leaves `local` with the categories' names alone.
"""

import argparse
import csv
import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from shared.classification import meaning
from shared.classification.local_model import MOST_EXAMPLES, LocalModel
from shared.classification.models import Categories, Choice, Example, Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HEADER: Final = ("name", "category", "answer", "confidence")
_BINS: Final = 15


class Unusable(Exception):
    """What was asked for cannot be done; the message is one line, for whoever asked."""


class Split(msgspec.Struct, frozen=True):
    """The products whose category is told, and those that are asked for."""

    told: list[Example]
    asked: list[Example]

    @property
    def categories(self) -> Categories:
        """Those of all products, by name."""
        names = {each.category for each in (*self.told, *self.asked)}
        return Categories(tuple(Choice(name, (name,)) for name in sorted(names)))


class Outcome(msgspec.Struct, frozen=True):
    """Which answers are right, and how sure each was (0 to 1)."""

    right: "NDArray[np.bool_]"
    sure: "NDArray[np.float64]"

    @property
    def accuracy(self) -> float:
        """The share of right answers in percent."""
        return 100 * float(self.right.mean())

    @property
    def calibration_error(self) -> float:
        """How far confidence and accuracy are apart, over fifteen bins of equal mass."""
        bins = np.array_split(np.argsort(self.sure, kind="stable"), _BINS)
        apart = (len(b) * abs(self.sure[b].mean() - self.right[b].mean()) for b in bins if len(b))
        return float(sum(apart)) / len(self.sure)


def read(path: Path, name_column: str, category_column: str) -> list[Example]:
    """The products of a CSV file whose category is known, each name once; raises Unusable."""
    found: dict[str, Example] = {}
    for name, category in _rows(path, name_column, category_column):
        if name and category and category.casefold() != "unknown":
            found.setdefault(name.casefold(), Example(name, category))
    return list(found.values())


def _rows(path: Path, *columns: str) -> Iterator[list[str]]:
    """What stands in the columns; what a short row lacks is empty."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            known = reader.fieldnames or ()
            if missing := [each for each in columns if each not in known]:
                there = ", ".join(known) or "no line"
                raise Unusable(f"{path} has no column {missing[0]!r}; it has {there}")
            for row in reader:
                yield [" ".join((row[each] or "").split()) for each in columns]
    except UnicodeDecodeError:
        raise Unusable(f"{path}, line {_not_utf8(path)}: is not UTF-8 text") from None
    except csv.Error as error:
        raise Unusable(f"{path}, line {reader.reader.line_num}: {error}") from None
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from None


def _not_utf8(path: Path) -> int:
    """The first line that is not, counted from one."""
    number = 0
    with path.open("rb") as file, suppress(UnicodeDecodeError):
        for number, line in enumerate(file, 1):  # noqa: B007 - the last one that was begun
            line.decode()
    return number


def drawn(products: Sequence[Example], labels: int, split: int) -> Split:
    """So many products by lot; the same for the same split, whatever their order.

    Raises Unusable where that leaves none to ask for.
    """
    if labels < 0:
        raise Unusable(f"{labels:,} labels are less than none")
    if labels >= len(products):
        count = f"{len(products):,} products with a name and a category"
        raise Unusable(f"{labels:,} labels leave none of {count} to ask for")

    def lot(product: Example) -> str:
        return hashlib.sha256(f"{split} {product.text}".encode()).hexdigest()

    mixed = sorted(products, key=lot)
    return Split(mixed[:labels], mixed[labels:])


def answers(split: Split, *, with_synonyms: bool = True, seen: bool = True) -> list[Verdict]:
    """What `local` says of the products that are asked for."""
    texts = [product.text for product in split.asked]
    model = LocalModel(
        split.categories,
        split.told,
        texts if seen else (),
        embed=meaning.vectors,
        with_synonyms=with_synonyms,
    )
    return model.classify_all(texts)


def outcome(split: Split, verdicts: Sequence[Verdict]) -> Outcome:
    """How right the answers are."""
    pairs = list(zip(split.asked, verdicts, strict=True))
    return Outcome(
        np.array([product.category == verdict.category for product, verdict in pairs]),
        np.array([verdict.confidence / 100 for _, verdict in pairs]),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes each asked product with its category, its answer and the confidence."""
    asked = _parser().parse_args(arguments)
    try:
        split = drawn(
            read(asked.csv, asked.name_column, asked.category_column), asked.labels, asked.split
        )
        told = _written(asked, split)
    except Unusable as why:
        print(f"classify_local: {why}", file=sys.stderr)
        return 2
    print(
        f"{_labels(split)}, {len(split.asked):,} products: {told.accuracy:.1f} % right, "
        f"calibration error {told.calibration_error:.3f}; in {asked.out}"
    )
    return 0


def _labels(split: Split) -> str:
    count = f"{len(split.told):,} labels"
    if len(split.told) <= MOST_EXAMPLES:
        return count
    return f"{count}, of which `local` learns no more than {MOST_EXAMPLES:,}"


def _written(asked: argparse.Namespace, split: Split) -> Outcome:
    if asked.out.resolve() == asked.csv.resolve():
        raise Unusable(f"{asked.out} is the catalogue itself")
    part = _part_of(asked.out)
    with _about(asked.out):
        # Before the minutes that the answers take; what is there stays until they are complete.
        part.open("a").close()
    try:
        with _about():
            verdicts = answers(split, with_synonyms=asked.synonyms, seen=not asked.unseen)
        with _about(asked.out):
            _write(part, split, verdicts)
            if part != asked.out:
                part.replace(asked.out.resolve())
    finally:
        if part != asked.out:
            part.unlink(missing_ok=True)
    return outcome(split, verdicts)


def _part_of(out: Path) -> Path:
    """Where the file is written that then takes the place of `out`; a device has none beside it."""
    if out.exists() and not out.is_file():
        return out
    whole = out.resolve()
    return whole.with_name(f".{whole.name}.{os.getpid()}")


def _write(path: Path, split: Split, verdicts: Sequence[Verdict]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_HEADER)
        for product, verdict in zip(split.asked, verdicts, strict=True):
            writer.writerow((product.text, product.category, verdict.category, verdict.confidence))


@contextmanager
def _about(path: Path | None = None) -> Iterator[None]:
    """What the system refuses as one line about `path`, or else about the file that it names."""
    try:
        yield
    except OSError as error:
        raise Unusable(f"{path or error.filename or 'local'}: {error.strerror or error}") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.classify_local")
    parser.add_argument("csv", type=Path)
    parser.add_argument("--name-column", required=True)
    parser.add_argument("--category-column", required=True)
    parser.add_argument("--labels", type=int, default=0, help="how many products lend theirs")
    parser.add_argument("--split", type=int, default=0, help="which lot they are drawn by")
    parser.add_argument("--no-synonyms", dest="synonyms", action="store_false")
    parser.add_argument("--unseen", action="store_true", help="tell it nothing of what is asked")
    parser.add_argument("--out", type=Path, required=True)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
