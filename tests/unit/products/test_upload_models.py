"""Uploads between preview and confirm: what is accepted, what is stored, what a row brings."""

from typing import Any

import msgspec
import pytest

from shared.products import match_models, pairs
from shared.products.upload_models import (
    Accept,
    Chunk,
    Said,
    StoredRow,
    Upload,
    given_fields,
    pack,
    unpack,
)
from shared.products.upload_preview import _Seen
from shared.products.upload_rows import RowError, UploadRow, parse_products
from shared.products.uploads import _duplicate_view


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
    evidence = [Said("name", "agrees", "the same words", 40)]
    stored = [
        StoredRow(row(n, name=f"Milk {n}"), "duplicate", "p", 90, evidence, 1) for n in (1, 2)
    ]
    chunk = Chunk(stored, [RowError(3, "price", "is required")])
    assert unpack(pack(chunk)) == chunk


def test_a_chunk_that_was_packed_without_weights_is_read() -> None:
    assert msgspec.json.decode(b'["name","agrees","the same words"]', type=Said).weight == 0


def test_the_evidence_of_a_duplicate_adds_up_to_its_confidence() -> None:
    first = StoredRow(row(1, name="Anchor Milk Powder", size="400g"), product_id="p")
    by_name = StoredRow(row(2, name="Anchor Powder Milk", size="400 g"))
    by_identity = StoredRow(row(3, name="Anchor Milk Powder", size="400g"))
    seen = _Seen(match_models.built(None), 60, [first, by_name, by_identity])
    seen.remember(first)
    for stored in (by_name, by_identity):
        assert seen.judge(stored)
        shown = _duplicate_view(stored)
        told = pairs.NEUTRAL + sum(piece.weight for piece in shown.evidence)
        assert shown.confidence == max(0, min(pairs.CERTAIN, told)) > pairs.NEUTRAL


def test_a_row_leaves_what_it_does_not_name() -> None:
    brought = given_fields(row(1, brand="Anchor", price="Rs 7"))
    assert brought == {"name": "Milk", "brand": "Anchor", "price_minor": 700, "currency": "LKR"}
