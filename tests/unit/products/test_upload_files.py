import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from shared.errors import BadRequest, ShoppleError, TooLarge
from shared.products import upload_xlsx
from shared.products.upload_csv import parse_csv
from shared.products.upload_xlsx import parse_xlsx
from tests.datasets import require_data

Cell = str | int | float | datetime | None
TABLE = "name,price,retailer\nCafé Latte 250 ml,Rs 450.00,keells\n"


def _workbook(*records: tuple[Cell, ...]) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for record in records:
        sheet.append(record)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(encoding: str) -> None:
    (row,) = parse_csv(TABLE.encode(encoding)).rows
    assert (row.name, row.price_minor) == ("Café Latte 250 ml", 45000)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_delimiters_and_line_ends(delimiter: str, ending: str) -> None:
    text = f'name{delimiter}price\n"Milk, {delimiter} ""fresh"""{delimiter}"1,234.50"\n'
    (row,) = parse_csv(text.replace("\n", ending).encode(), default_retailer="keells").rows
    assert row.name == " ".join(f'Milk, {delimiter} "fresh"'.split())
    assert row.price_minor == 123450


def test_excels_hint_of_a_delimiter_is_no_header() -> None:
    parsed = parse_csv(b"sep=;\r\nname;price\r\nMilk;12,50\r\n", default_retailer="keells")
    assert parsed.rows[0].price_minor == 1250


def test_rows_keep_their_number_past_blank_ones() -> None:
    parsed = parse_csv(b"name,price\nA,1\n,\n\nB,2\n", default_retailer="keells")
    assert [row.row for row in parsed.rows] == [1, 4]
    assert parsed.total == 2


def test_shifted_cells_are_refused_rather_than_guessed() -> None:
    parsed = parse_csv(b"name,price\nMilk,1,234.50\n", default_retailer="keells")
    assert parsed.rows == ()
    assert parsed.errors[0].message == "has more cells than the header names"


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"\n\n", b"Milk,150\nTea,200\n", b"\xff\xfe\x00", b"name,price\n\x81\x8d"),
        b'name,price\n"' + b"x" * 200_000 + b'",1\n',
    ],
)
def test_what_is_no_table_is_refused(data: bytes) -> None:
    with pytest.raises(BadRequest):
        parse_csv(data)


def test_too_many_rows_are_refused() -> None:
    with pytest.raises(TooLarge):
        parse_csv(b"name,price\n" + b"Milk,1\n" * 10_001, default_retailer="keells")
    with pytest.raises(TooLarge):
        parse_csv(b"name,price\n" + b",\n" * 50_001)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for content in (data, b"name,price\n" + data):
        try:
            parse_csv(content, default_retailer="keells")
        except ShoppleError:
            continue


def test_a_workbook_is_read_exactly() -> None:
    records: tuple[tuple[Cell, ...], ...] = (
        ("Product Name", "Price", "SKU", "Size", None),
        ("Milk", 0.1 + 0.2, 1234567, datetime(2026, 1, 2, tzinfo=UTC).replace(tzinfo=None)),
        (None, None),
        ("Tea", "Rs. 1,234.50"),
        ("#N/A", 5),
    )
    parsed = parse_xlsx(_workbook(*records), default_retailer="keells")
    assert [(row.row, row.name, row.price_minor) for row in parsed.rows] == [
        (1, "Milk", 30),
        (3, "Tea", 123450),
    ]
    assert parsed.rows[0].retailer_sku == "1234567"
    assert [(error.row, error.field) for error in parsed.errors] == [(4, "name")]


def _zip(**entries: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return stream.getvalue()


def test_what_is_no_workbook_is_refused() -> None:
    for data in (b"", b"PK\x03\x04", b"name,price\n", _zip(a=b"x"), _workbook()[:-40], _workbook()):
        with pytest.raises(BadRequest):
            parse_xlsx(data)


def test_entities_in_a_workbook_are_refused() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet>&a;</worksheet>'
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(_workbook(("name", "price"), ("Milk", 1)))) as source,
        zipfile.ZipFile(stream, "w") as target,
    ):
        for entry in source.namelist():
            hostile = entry.endswith("sheet1.xml")
            target.writestr(entry, bomb if hostile else source.read(entry))
    with pytest.raises(BadRequest):
        parse_xlsx(stream.getvalue(), default_retailer="keells")


def test_a_zip_bomb_is_refused_unopened(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TooLarge):
        parse_xlsx(_zip(**{f"e{number}": b"" for number in range(1001)}))
    monkeypatch.setattr(upload_xlsx, "_MAX_UNPACKED", 1000)
    with pytest.raises(TooLarge):
        parse_xlsx(_zip(big=b"\0" * 1001))


@pytest.mark.parametrize(
    ("name", "retailer", "rows"),
    [("keells_all.csv", "Keells", 954), ("cargills_products.csv", "Cargills", 3486)],
)
def test_real_catalogues_are_read_almost_whole(name: str, retailer: str, rows: int) -> None:
    path: Path = require_data("catalogues", "sri-lanka", name)
    parsed = parse_csv(path.read_bytes(), default_retailer=retailer)
    assert parsed.total >= 0.98 * rows
    assert len(parsed.rows) >= 0.99 * parsed.total
