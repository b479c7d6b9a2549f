"""What CSV and XLSX uploads have in common: a header and records below it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from shared.errors import BadRequest, TooLarge
from shared.products.upload_columns import field_of
from shared.products.upload_rows import ParsedUpload, RefusedRow, is_blank, parse_rows

MAX_COLUMNS: Final = 100
# Spreadsheets save blank rows by the hundred thousand; this bounds the work of passing over them.
_MAX_RECORDS: Final = 50_000


def parse_table(
    header: Sequence[str], records: Iterable[Sequence[object]], default_retailer: str
) -> ParsedUpload:
    """The rows below `header`; raises BadRequest if it lacks a name or price."""
    fields = set(map(field_of, header))
    if not {"name", "price"} <= fields:
        raise BadRequest("The first row must name the columns, a name and a price among them.")
    if len(header) > MAX_COLUMNS:
        raise BadRequest(f"A table has at most {MAX_COLUMNS} columns.")
    return parse_rows(_numbered(header, records), default_retailer=default_retailer)


def _numbered(
    header: Sequence[str], records: Iterable[Sequence[object]]
) -> Iterator[tuple[int, object]]:
    for number, record in enumerate(records, start=1):
        if number > _MAX_RECORDS:
            raise TooLarge("The table has too many blank rows.")
        if all(map(is_blank, record)):
            continue
        if all(map(is_blank, record[len(header) :])):
            yield number, _row(header, record)
        else:
            # Most often an unquoted comma has shifted the cells, so that none can be trusted.
            yield number, RefusedRow("has more cells than the header names")


def _row(header: Sequence[str], record: Sequence[object]) -> dict[str, object]:
    row: dict[str, object] = {}
    for column, value in zip(header, record, strict=False):
        if column and is_blank(row.get(column)):
            row[column] = value
    return row
