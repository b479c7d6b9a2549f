"""XLSX uploads: the first sheet of a workbook, read as a stream."""

import io
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from openpyxl import DEFUSEDXML, load_workbook

from shared.errors import BadRequest, ConfigurationError, TooLarge
from shared.products.upload_rows import ParsedUpload
from shared.products.upload_tables import MAX_COLUMNS, parse_table

_MAX_ENTRIES: Final = 1000
_MAX_UNPACKED: Final = 200 * 1024 * 1024
_FORMULA_ERRORS: Final = frozenset(
    ("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!")
)
_NO_WORKBOOK: Final = "The file is not an XLSX workbook."


def parse_xlsx(data: bytes, *, default_retailer: str = "") -> ParsedUpload:
    """The rows of a workbook's first sheet; raises BadRequest or TooLarge if it cannot be read."""
    _check_archive(data)
    records = _records(data)
    header = ["" if value is None else str(value) for value in next(records, ())]
    while header and not header[-1].strip():
        header.pop()
    return parse_table(header, records, default_retailer)


def _check_archive(data: bytes) -> None:
    if not DEFUSEDXML:
        raise ConfigurationError("Install defusedxml: workbooks hold XML from anybody.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        raise BadRequest(_NO_WORKBOOK) from None
    # Reading an entry stops at the size that it declares, so that a false one gains nothing.
    unpacked = sum(entry.file_size for entry in entries)
    if len(entries) > _MAX_ENTRIES or unpacked > _MAX_UNPACKED:
        raise TooLarge("The workbook is too large when unpacked.")


def _records(data: bytes) -> Iterator[tuple[object, ...]]:
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        # Some programs declare a range of one cell, which would hide the others.
        sheet.reset_dimensions()
        for record in sheet.iter_rows(max_col=MAX_COLUMNS, values_only=True):
            yield tuple(map(_value, record))
    except Exception:  # noqa: BLE001 - a broken workbook fails with whatever it trips over first
        raise BadRequest(_NO_WORKBOOK) from None


def _value(value: object) -> object:
    if isinstance(value, float):
        # A spreadsheet keeps and shows 15 digits: what 0.1 + 0.2 has beyond them, nobody typed.
        return Decimal(f"{value:.15g}")
    if isinstance(value, str):
        return None if value in _FORMULA_ERRORS else value
    if value is None or isinstance(value, int):
        return value
    return str(value)
