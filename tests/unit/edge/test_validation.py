"""Bodies and queries: what is refused, under which name, and what becomes of the rest."""

from decimal import Decimal
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta

from shared.edge import validation
from shared.errors import BadRequest, FieldError, Invalid
from shared.money import to_minor


class Row(msgspec.Struct, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=5)]
    price: Decimal | None = None


class Body(msgspec.Struct, forbid_unknown_fields=True, rename={"kind": "for"}):
    rows: list[Row] = []
    kind: str = ""
    labels: dict[str, int] = {}


class Search(msgspec.Struct, forbid_unknown_fields=True):
    limit: Annotated[int, Meta(ge=1, le=100)] = 50
    q: str = ""


def refused(body: Any) -> FieldError:
    with pytest.raises(Invalid) as caught:
        validation.to_type(body, Body)
    (only,) = caught.value.errors
    return only


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"unknown": 1}, "unknown", "is not known"),
        ({"rows": [{"name": "a"}, {"name": "b", "x": 1}]}, "rows[1].x", "is not known"),
        ({"rows": [{"name": "a"}, {}]}, "rows[1].name", "is required"),
        ({"rows": [{"name": ""}]}, "rows[0].name", "expected `str` of length >= 1"),
        ({"rows": [{"name": "abcdef"}]}, "rows[0].name", "expected `str` of length <= 5"),
        ({"rows": [{"name": "a", "price": "x"}]}, "rows[0].price", "invalid decimal string"),
        ({"rows": 3}, "rows", "expected `array`, got `int`"),
        ({"for": 1}, "for", "expected `str`, got `int`"),
        ({"kind": "x"}, "kind", "is not known"),
        ({"labels": {"a": "b"}}, "labels[...]", "expected `int`, got `str`"),
        ([], "body", "expected `object`, got `array`"),
        (None, "body", "expected `object`, got `null`"),
    ],
    ids=str,
)
def test_the_refused_field_is_named_by_its_path(body: Any, field: str, message: str) -> None:
    assert refused(body) == FieldError(field, message)


def test_text_is_trimmed_and_composed_at_every_depth() -> None:
    raw = '{"a": ["  cafe\u0301 ", {"b": "\u00a0tea\u2003"}], "c": "line\\nand\\ttab"}'
    read = validation.read_json(raw.encode())
    assert read == {"a": ["caf\u00e9", {"b": "tea"}], "c": "line\nand\ttab"}


@pytest.mark.parametrize("control", ["\x00", "\x08", "\x0b", "\x1f", "\x7f", "\x85", "\x9f"])
def test_a_control_character_is_refused_where_it_stands(control: str) -> None:
    raw = msgspec.json.encode({"rows": [{"name": "fine"}, {"name": f"a{control}b"}]})
    with pytest.raises(Invalid) as caught:
        validation.read_json(raw)
    assert caught.value.errors == (FieldError("rows[1].name", "must not hold control characters"),)


def test_a_bare_text_with_a_control_character_is_the_body_itself() -> None:
    with pytest.raises(Invalid) as caught:
        validation.read_json(b'"\\u0000"')
    assert caught.value.errors[0].field == "body"


@pytest.mark.parametrize(
    "text", ["0.1", "0.1000000000000000055", "1234567890.123456789012345678901234567890", "1e-7"]
)
def test_decimals_stay_exact(text: str) -> None:
    assert validation.read_json(f'{{"price": {text}}}'.encode()) == {"price": Decimal(text)}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b"\xff\xfe",
        b'{"a": "\xff"}',
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": "\\ud800"}',
        b'{"a": "\\ud800x"}',
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1e99999999999999999999}',
        b'{"a": 1' + b"0" * 5000 + b"}",
        b"{} {}",
        b"[" * 100_000,
        b"[" * 5000 + b"]" * 5000,
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
    ],
    ids=lambda data: repr(data[:24]),
)
def test_what_is_no_json_in_utf8_is_malformed(data: bytes) -> None:
    with pytest.raises(BadRequest) as caught:
        validation.read_json(data)
    assert "<class" not in caught.value.detail


def test_nesting_is_refused_at_every_depth_or_read() -> None:
    """The parser and what comes after it have limits of their own: none may let a crash out."""
    for depth in range(100, 1200, 50):
        try:
            read = validation.read_json(b"[" * depth + b'"x"' + b"]" * depth)
        except BadRequest as refusal:
            assert "deep" in refusal.detail  # noqa: PT017 - either outcome is right
        else:
            assert isinstance(read, list)


@pytest.mark.parametrize(
    "text", ["1e400", "1e4000", "1e100000", '"NaN"', '"sNaN"', '"Infinity"', "-1", "0.001", "1e12"]
)
def test_a_number_that_is_no_price_is_a_value_error(text: str) -> None:
    price = validation.to_type(validation.read_json(text.encode()), Decimal)
    with pytest.raises(ValueError, match=r"must|too large|more decimals"):
        to_minor(price, "LKR")


@pytest.mark.parametrize("text", ["1e999999", "1e-9999999999", "1." + "0" * 40 + "1"])
def test_a_number_beyond_the_default_precision_is_a_value_error(text: str) -> None:
    price = validation.to_type(validation.read_json(text.encode()), Decimal)
    with pytest.raises(ValueError, match=r"too large|more decimals"):
        to_minor(price, "LKR")


def test_a_query_is_converted_trimmed_and_composed() -> None:
    found = validation.to_query({"limit": ["7"], "q": [" cafe\u0301 "]}, Search)
    assert found == Search(limit=7, q="caf\u00e9")
    assert validation.to_query({}, Search) == Search()


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"unknown": ["1"]}, "unknown"),
        ({"limit": ["1", "2"]}, "limit"),
        ({"limit": ["0"]}, "limit"),
        ({"limit": ["101"]}, "limit"),
        ({"limit": ["1e400"]}, "limit"),
        ({"limit": ["9" * 5000]}, "limit"),
        ({"limit": [""]}, "limit"),
        ({"q": ["a\x00b"]}, "q"),
    ],
    ids=str,
)
def test_a_wrong_query_argument_is_named(arguments: dict[str, list[str]], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        validation.to_query(arguments, Search)
    assert [error.field for error in caught.value.errors] == [field]


def test_where_no_query_is_taken_each_argument_is_named() -> None:
    validation.no_query({})
    with pytest.raises(Invalid) as caught:
        validation.no_query({"a": ["1"], "b": ["2"]})
    assert [error.field for error in caught.value.errors] == ["a", "b"]
