"""Cursors go back only to the list that they came from."""

import pytest
from itsdangerous import URLSafeSerializer

from shared.edge.cursors import read_cursor, write_cursor
from shared.errors import BadRequest
from tests.unit.edge.conftest import SECRET, Configure

POSITION = [1234, "id", None, "caf\u00e9"]


def test_a_cursor_comes_back_as_it_was(configure: Configure) -> None:
    configure()
    cursor = write_cursor(POSITION, "filter-and-sort")
    assert read_cursor(cursor, "filter-and-sort") == POSITION
    assert cursor.isascii()
    assert not set(cursor) & set("+/=&? ")


def test_a_foreign_cursor_is_refused(configure: Configure) -> None:
    configure()
    cursor = write_cursor(POSITION, "filter-and-sort")
    with pytest.raises(BadRequest, match="another list"):
        read_cursor(cursor, "another filter")


def test_a_cursor_of_another_key_is_refused(configure: Configure) -> None:
    configure()
    cursor = write_cursor(POSITION, "same")
    configure(SECRET_KEY=SECRET[::-1])
    with pytest.raises(BadRequest):
        read_cursor(cursor, "same")


@pytest.mark.parametrize("cursor", ["", ".", "x", "e30.x", "\x00", "caf\u00e9", "." * 900])
def test_garbage_is_refused(configure: Configure, cursor: str) -> None:
    configure()
    with pytest.raises(BadRequest):
        read_cursor(cursor, "same")


def test_each_changed_character_is_noticed(configure: Configure) -> None:
    configure()
    cursor = write_cursor(POSITION, "same")
    for index, char in enumerate(cursor[:-1]):
        other = "A" if char != "A" else "B"
        with pytest.raises(BadRequest):
            read_cursor(cursor[:index] + other + cursor[index + 1 :], "same")


@pytest.mark.parametrize("payload", [3, {}, ["one"], ["a", "b", "c"], ["digest", "no list"]])
def test_a_signed_value_of_another_shape_is_refused(configure: Configure, payload: object) -> None:
    configure()
    signed = URLSafeSerializer(SECRET, salt="cursor").dumps(payload)
    with pytest.raises(BadRequest):
        read_cursor(str(signed), "same")


def test_a_session_is_no_cursor(configure: Configure) -> None:
    configure()
    session = URLSafeSerializer(SECRET, salt="session").dumps(["sid", "uid", 1.0])
    with pytest.raises(BadRequest):
        read_cursor(str(session), "same")
