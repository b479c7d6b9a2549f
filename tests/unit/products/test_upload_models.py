"""Uploads between preview and confirm: what is accepted, what is stored, what a row brings."""

from typing import Any

import pytest

from shared.products.upload_models import (
    Accept,
    Chunk,
    StoredRow,
    Upload,
    given_fields,
    pack,
    unpack,
)
from shared.products.upload_rows import RowError, UploadRow, parse_products


def row(number: int = 1, **fields: Any) -> UploadRow:
    given = {"name": "Milk", "price": "10.50", "retailer": "keells", **fields}
    return parse_products([{}] * (number - 1) + [given]).rows[0]


def upload(total: int = 3, accept: Accept | None = None) -> Upload:
    return Upload("u", "confirming", total, 0, 1, [], accept=accept)


@pytest.mark.parametrize(
    ("accept", "accepted"),
    [("new", [True, False]), ("all", [True, True]), ([2], [False, True]), ([], [False, False])],
)
def test_a_confirm_takes_the_rows_that_it_names(accept: Accept, accepted: list[bool]) -> None:
    rows = [StoredRow(row(1)), StoredRow(row(2), verdict="duplicate", product_id="p")]
    assert [upload(accept=accept).accepts(stored) for stored in rows] == accepted


def test_beyond_a_thousand_rows_the_work_is_followed() -> None:
    assert [upload(total).large for total in (1000, 1001)] == [False, True]


def test_a_chunk_comes_back_as_it_was_packed() -> None:
    evidence = [("name", "agrees", "the same words")]
    stored = [
        StoredRow(row(n, name=f"Milk {n}"), "duplicate", "p", 90, evidence, 1) for n in (1, 2)
    ]
    chunk = Chunk(stored, [RowError(3, "price", "is required")])
    assert unpack(pack(chunk)) == chunk


def test_a_row_leaves_what_it_does_not_name() -> None:
    brought = given_fields(row(1, brand="Anchor", price="Rs 7"))
    assert brought == {"name": "Milk", "brand": "Anchor", "price_minor": 700, "currency": "LKR"}
