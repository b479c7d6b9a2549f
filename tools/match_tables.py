"""Offers of two tables and pairs of them, as files in the Magellan layout hold them.

Columns may bear other usual names: those that an upload may use, and a few of such tables.
"""

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from shared.products.matching import Offer
from shared.products.price_text import parse_price
from shared.products.upload_columns import field_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Places = NDArray[np.intp]

# What an upload has no field for, or would take for something else.
_ALSO: Final = {
    **dict.fromkeys(("model", "modelno", "modelnumber", "mpn", "partnumber"), "model"),
    **dict.fromkeys(("manufacturer", "maker"), "brand"),
    **dict.fromkeys(("vendor", "seller"), "retailer"),
    "pricecurrency": "currency",
    "listprice": "price",
    "producttype": "category",
}
_TEXTS: Final = ("name", "brand", "size", "category", "model", "description")
_FIELDS: Final = ("id", *_TEXTS, "price", "currency", "retailer")
_NOTHING: Final = frozenset({"-", "nan", "none", "null", "n/a", "na"})
# As machines write it. In capitals it is a brand of infant formula.
_NOT_A_NUMBER: Final = frozenset({"nan", "NaN"})
_DECIMAL_POINT: Final = re.compile(r"(\d\.\d{3})(?!\d)")
_PIECES: Final = re.compile(r"[\s_-]+")
_MOST_PIECES: Final = 4
_MOST_LETTERS: Final = 1 << 26
# No word of a name: what a retailer's own goods are called is told from its name as before.
_OTHER_SOURCE: Final = " *"

Row = dict[str, str]


class Unreadable(Exception):
    """What is wrong with a file, and where."""

    def __init__(self, path: Path, line: int | None, wrong: str) -> None:
        place = f"{path.name}, line {line}" if line else path.name
        super().__init__(f"{place}: {wrong}")


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

    def unknown(self, row: Row) -> str | None:
        """Which id of a pair no offer has, if any."""
        sides = ("ltable_id", self.left, "tableA"), ("rtable_id", self.right, "tableB")
        strange = [
            f"{table} has no {row[name]!r}" for name, t, table in sides if row[name] not in t
        ]
        return strange[0] if strange else None


def read_tables(folder: Path) -> Tables:
    """tableA.csv and tableB.csv; one catalogue where both files are the same.

    Raises Unreadable.
    """
    a, b = folder / "tableA.csv", folder / "tableB.csv"
    first = _read_table(a, "A")
    left = {name: at for at, name in enumerate(first)}
    if _bytes(a) == _bytes(b):
        return Tables(list(first.values()), left, left)
    second = _read_table(b, "B")
    right = {name: at + len(first) for at, name in enumerate(second)}
    return Tables(_two_sources([*first.values()], [*second.values()]), left, right)


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a CSV file; raises Unreadable."""
    return (row for _, row in read_lines(path))


def read_lines(path: Path, needed: Iterable[str] = ()) -> list[tuple[int, Row]]:
    """The rows of a CSV file and the line that each begins in; raises Unreadable."""
    reader = csv.DictReader(io.StringIO(_text(path), newline=""), restval="")
    rows = []
    try:
        with _long_cells():
            header = reader.fieldnames or []
            if missing := sorted(set(needed) - set(header)):
                raise Unreadable(path, 1, f"no column {missing[0]}")
            begins = reader.line_num + 1
            for row in reader:
                rows.append((begins, row))
                begins = reader.line_num + 1
    except csv.Error as error:
        raise Unreadable(path, reader.line_num, f"not CSV: {error}") from None
    return rows


@contextmanager
def _long_cells() -> Iterator[None]:
    """The limit is one for the process, and others rely on theirs."""
    before = csv.field_size_limit(_MOST_LETTERS)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _text(path: Path) -> str:
    data = _bytes(path)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(path, data.count(b"\n", 0, error.start) + 1, "not UTF-8") from None


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unreadable(path, None, error.strerror or "cannot be read") from None


def _read_table(path: Path, table: str) -> dict[str, Offer]:
    """The offers by id."""
    columns = _columns(path)
    offers: dict[str, Offer] = {}
    for line, row in read_lines(path):
        own = row[columns["id"][0]].strip()
        told = {field: _said(field, row, names) for field, names in columns.items()}
        offer = _offer(table + own, told)
        if not own:
            raise Unreadable(path, line, "no id")
        if offers.setdefault(own, offer) != offer:
            raise Unreadable(path, line, f"another offer has the id {own!r} already")
    if _says_currencies(offers.values(), by_column="currency" in columns):
        return offers
    return {own: msgspec.structs.replace(each, currency="") for own, each in offers.items()}


def _says_currencies(offers: Collection[Offer], *, by_column: bool) -> bool:
    """Whether the table says what its prices are in; else they are compared as they stand.

    A sign before some prices would part them from those without. Only where a column names
    several currencies is what it leaves empty in one that nobody knows.
    """
    several = len({offer.currency for offer in offers} - {""}) > 1
    return (by_column and several) or all(o.currency for o in offers if o.price_minor)


def _columns(path: Path) -> dict[str, list[str]]:
    """The columns that may fill each field; one of the field's own name goes before others."""
    header = next(csv.reader(io.StringIO(_text(path), newline="")), [])
    known: dict[str, list[str]] = {}
    for column in sorted(header, key=lambda column: column not in _FIELDS):
        plain = "".join(filter(str.isalnum, column)).casefold()
        field = "id" if plain == "id" else _ALSO.get(plain) or field_of(column)
        if field in _FIELDS:
            known.setdefault(field, []).append(column)
    for field in ("id", "name"):
        if field not in known:
            raise Unreadable(path, 1, f"no column holds the {field}")
    return known


def _said(field: str, row: Row, columns: Iterable[str]) -> str:
    """What the first of the columns says that says anything."""
    cells = (row[column].strip() for column in columns)
    return next((cell for cell in cells if cell and not _is_nothing(field, cell)), "")


def _is_nothing(field: str, cell: str) -> bool:
    plain = cell.casefold()
    if field in ("name", "brand") and plain == "nan":
        return cell in _NOT_A_NUMBER
    return plain in _NOTHING


def _offer(own: str, told: Row) -> Offer:
    price_minor, currency = _price(told.get("price", ""), told.get("currency", ""))
    told = told | {"model": _written_as_one(told.get("model", ""))}
    return Offer(
        id=own,
        retailer=told.get("retailer", ""),
        price_minor=price_minor,
        currency=currency,
        **{name: told.get(name, "") for name in _TEXTS},
    )


def _written_as_one(model: str) -> str:
    """A model number in pieces is one: "RD 966-JKD" is RD966JKD."""
    pieces = _PIECES.split(model)
    code = len(pieces) <= _MOST_PIECES and any(map(str.isdigit, model))
    return "".join(pieces) if code else model


def _price(text: str, currency: str) -> tuple[int, str]:
    """Hundredths, 0 where there is no plain price, and the currency that is named.

    "1.299" could be a thousand to a person; in a table it is one that a machine wrote.
    """
    for written in (text, _DECIMAL_POINT.sub(r"\g<1>0", text)):
        with suppress(ValueError):
            amount, stated = parse_price(written, currency)
            return round(amount * 100), currency or stated or ""
    return 0, currency


def _two_sources(first: list[Offer], second: list[Offer]) -> list[Offer]:
    """The offers of two tables, of which none of the one is of a retailer of the other.

    Prices are compared as they stand where one of the two does not say what they are in.
    """
    sides = [_one_source("A", first), _one_source("B", second)]
    named = {offer.retailer for offer in sides[0]} - {""}
    sides[1] = [
        msgspec.structs.replace(offer, retailer=offer.retailer + _OTHER_SOURCE)
        if offer.retailer in named
        else offer
        for offer in sides[1]
    ]
    if not all(any(offer.currency for offer in side) for side in sides):
        sides = [[msgspec.structs.replace(o, currency="") for o in side] for side in sides]
    return sides[0] + sides[1]


def _one_source(table: str, offers: list[Offer]) -> list[Offer]:
    """The offers of a table, which is one source where it does not name several retailers.

    Where it does, an offer that names none may be of any of them, or of another.
    """
    named = {offer.retailer for offer in offers} - {""}
    if len(named) > 1:
        return offers
    source = min(named, default=table)
    return [msgspec.structs.replace(offer, retailer=source) for offer in offers]
