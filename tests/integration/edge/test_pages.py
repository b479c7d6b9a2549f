"""Lists page by page: each row once, whatever a page's size, and each cursor in its own list."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from local.stack import Stack
from shared.clients import firestore
from shared.edge.pages import newest_first
from shared.errors import BadRequest
from tests.integration.edge.instance import instance
from tests.sessions import SUPER_ADMIN, log_in, new_client
from tools.declarations import declared

COLLECTION = "paged_rows"
BEGUN = datetime(2026, 3, 1, tzinfo=UTC)
LISTS = [
    each.function.path
    for each in declared()
    if (method := each.function.methods.get("GET"))
    and method.query
    and {"cursor", "limit"} <= set(method.query.__struct_fields__)
]
# Of what cannot be there, the absence is told before a cursor is looked at.
ROOTS = [path for path in LISTS if path and "{" not in path]


class Asked(msgspec.Struct):
    limit: int
    cursor: str | None = None
    kind: str | None = None


@pytest.fixture(scope="module")
def begun(stack: Stack) -> Iterator[None]:
    with instance(stack.environment()):
        yield
        database = firestore.client()
        database.recursive_delete(database.collection(COLLECTION))


def filled(micros: list[int]) -> Any:
    """A list of its own, with a row at each of the moments."""
    batch = firestore.client().batch()
    rows = firestore.client().collection(COLLECTION, secrets.token_hex(10), "rows")
    for each in micros:
        batch.set(rows.document(), {"at": BEGUN + timedelta(microseconds=each)})
    batch.commit()
    return rows


@pytest.mark.usefixtures("begun")
@hypothesis_settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 2), max_size=9), st.integers(1, 10))
def test_each_row_is_shown_once_and_the_newest_first(micros: list[int], size: int) -> None:
    rows, asked = filled(micros), Asked(size)
    found: list[tuple[datetime, str]] = []
    while True:
        page = newest_first(rows, "at", asked, "rows")
        assert len(page.rows) <= size
        found += [(row.get("at"), row.id) for row in page.rows]
        if page.next_cursor is None:
            break
        asked.cursor = page.next_cursor
    assert len(found) == len(micros)
    assert found == sorted(set(found), reverse=True)


@pytest.mark.usefixtures("begun")
def test_a_cursor_fits_its_own_list_filter_and_order_only() -> None:
    rows = filled([1, 2])
    cursor = newest_first(rows, "at", Asked(1), "rows").next_cursor
    assert newest_first(rows, "at", Asked(2, cursor), "rows").rows
    for wanted, moment, name in (
        (Asked(1, cursor), "at", "others"),
        (Asked(1, cursor), "then", "rows"),
        (Asked(1, cursor, "odd"), "at", "rows"),
    ):
        with pytest.raises(BadRequest, match="cursor"):
            newest_first(rows, moment, wanted, name)


def test_each_list_refuses_a_cursor_of_another_and_takes_an_empty_one_for_none(
    stack: Stack,
) -> None:
    with new_client(stack, log_in(stack, SUPER_ADMIN)) as http:
        log_in(stack, SUPER_ADMIN)
        opened: dict[str, str | int] = {"action": "session.opened", "limit": 1}
        foreign = http.get("/api/audit/logs", params=opened).json()["next_cursor"]
        for path in ROOTS:
            refused = http.get(path, params={"cursor": foreign})
            assert refused.status_code == 400, (path, refused.text)
            assert "cursor" in refused.json()["detail"]
            assert http.get(path, params={"cursor": ""}).status_code == 200, path
    assert foreign
    assert len(ROOTS) >= 13
