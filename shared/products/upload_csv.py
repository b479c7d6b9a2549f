"""CSV uploads, in the encodings and with the delimiters that spreadsheets write."""

import codecs
import csv
import io
from collections.abc import Iterator
from typing import Final

from shared.errors import BadRequest
from shared.products.upload_columns import field_of
from shared.products.upload_rows import ParsedUpload
from shared.products.upload_tables import parse_table

_DELIMITERS: Final = ",;\t|"
_SNIFFED: Final = 65_536


def parse_csv(data: bytes, *, default_retailer: str = "") -> ParsedUpload:
    """The rows of a CSV file; raises BadRequest if it is none, TooLarge beyond 10,000 rows."""
    text = _decoded(data)
    # Excel's own hint, which it writes and obeys but no other program understands.
    if text[:4].casefold() == "sep=":
        text = text.partition("\n")[2]
    records = _records(text, _delimiter(text))
    header = next(records, [])
    while header and not header[-1].strip():
        header.pop()
    return parse_table(header, records, default_retailer)


def _decoded(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    else:
        # Excel without an explicit choice saves in the code page of Western Windows.
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadRequest("The file is not text in UTF-8, UTF-16 or Windows-1252.")


def _delimiter(text: str) -> str:
    """The delimiter under which the first row names most fields."""
    start = text[:_SNIFFED]

    def known(delimiter: str) -> int:
        header = next(_records(start, delimiter), [])
        return sum(field_of(column) is not None for column in header)

    return max(_DELIMITERS, key=known)


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        yield from reader
    except csv.Error as error:
        raise BadRequest(f"Line {reader.line_num} is not CSV: {error}.") from None
