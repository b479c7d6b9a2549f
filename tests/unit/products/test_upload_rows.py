import subprocess
import sys
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import TooLarge
from shared.products.upload_rows import MAX_ROWS, RowError, UploadRow, parse_products

MILK = {"name": "Fresh Milk 1 L", "price": Decimal("420.50"), "retailer": "Keells Super"}


def _errors(**changes: object) -> dict[str, str]:
    parsed = parse_products([{**MILK, **changes}])
    assert bool(parsed.errors) != bool(parsed.rows)
    return {error.field: error.message for error in parsed.errors}


def _row(**changes: object) -> UploadRow:
    (row,) = parse_products([{**MILK, **changes}]).rows
    return row


def test_a_row_takes_its_defaults() -> None:
    assert _row() == UploadRow(
        row=1,
        name="Fresh Milk 1 L",
        brand="",
        size="",
        category="",
        retailer="keells-super",
        retailer_sku=None,
        url=None,
        image=None,
        description=None,
        price_minor=42050,
        currency="LKR",
    )


def test_columns_are_known_by_friendly_names_and_others_are_reported_once() -> None:
    friendly = {
        "Product Name": " Milk ",
        "FINAL_PRICE": "\u00a32.50",
        "Store": "Caf\u00e9 No. 1",
        "SKU": 123,
        "Product URL": "https://shop.example/milk",
        "Image-URL": "http://shop.example/milk.jpg",
        "Original Price": "Rs 9",
        "shelf": "A",
    }
    parsed = parse_products([friendly, friendly])
    assert parsed.ignored == ["Original Price", "shelf"]
    assert parsed.total == 2
    row = parsed.rows[1]
    assert (row.row, row.name, row.price_minor, row.currency) == (2, "Milk", 250, "GBP")
    assert (row.retailer, row.retailer_sku) == ("cafe-no-1", "123")
    assert (row.url, row.image) == ("https://shop.example/milk", "http://shop.example/milk.jpg")


def test_every_error_of_a_row_is_reported() -> None:
    bad = {"name": " ", "price": "cheap", "currency": "XYZ", "url": "ftp://x", "brand": "b" * 101}
    parsed = parse_products([MILK, bad])
    assert [row.row for row in parsed.rows] == [1]
    assert {(error.row, error.field) for error in parsed.errors} == {
        (2, field) for field in ("name", "price", "currency", "url", "brand", "retailer")
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "n" * 301),
        ("name", None),
        ("name", True),
        ("name", ["a"]),
        ("retailer", "!!!"),
        ("retailer", "r" * 61),
        ("price", None),
        ("price", ""),
        ("price", True),
        ("price", {"amount": 1}),
        ("price", Decimal(-1)),
        ("price", Decimal("1.005")),
        ("price", Decimal("NaN")),
        ("price", Decimal("Infinity")),
        ("price", Decimal("1E+1000000")),
        ("price", Decimal("1E-1000000")),
        pytest.param("price", 10**5000, id="price-of-5000-digits"),
        ("price", 12.5),
        ("price", Decimal("1." + "0" * 40 + "1")),
        ("currency", "rupees"),
        ("currency", "ZZZ"),
        ("size", "s" * 61),
        ("category", "c" * 101),
        ("retailer_sku", "k" * 101),
        pytest.param("retailer_sku", 10**5000, id="sku-of-5000-digits"),
        ("url", "javascript:alert(1)"),
        ("url", "https://"),
        ("url", "http://[::1"),
        ("url", "https://user:secret@shop.example/"),
        ("image", "https://shop.example/" + "i" * 2000),
        ("description", "d" * 5001),
    ],
)
def test_a_bad_value_is_refused_by_its_field(field: str, value: object) -> None:
    assert set(_errors(**{field: value})) == {field}


def test_something_else_than_an_object_is_refused_as_a_row() -> None:
    assert parse_products(["milk", None]).errors == (
        RowError(1, "", "must be an object"),
        RowError(2, "", "must be an object"),
    )


def test_text_is_cleaned_and_normalised() -> None:
    row = _row(name="Cafe\u0301\x00 \ud800\t Latte\u202e\n", description="a\r\nb\x07  c")
    assert row.name == "Caf\u00e9 Latte"
    assert row.description == "a\nb c"


def test_joiners_of_other_scripts_stay() -> None:
    assert _row(name="\u0d9c\u0dca\u200d\u0dbb\u0dd1\u0db8\u0dca").name.count("\u200d") == 1


def test_a_retailer_of_another_script_keeps_its_name() -> None:
    hebrew = "\u05e9\u05d5\u05e4\u05e8\u05e1\u05dc \u05d3\u05d9\u05dc"
    assert _row(retailer=hebrew).retailer == hebrew.replace(" ", "-")


def test_a_currency_column_goes_before_the_sign_in_the_price() -> None:
    row = _row(price="$ 5.00", currency="aud")
    assert (row.price_minor, row.currency) == (500, "AUD")


def test_a_default_retailer_fills_a_missing_one() -> None:
    nameless = {"name": "Milk", "price": 1}
    parsed = parse_products([nameless, MILK], default_retailer="Cargills")
    assert [row.retailer for row in parsed.rows] == ["cargills", "keells-super"]


def test_ten_thousand_rows_and_no_more() -> None:
    assert parse_products([MILK] * MAX_ROWS).total == MAX_ROWS
    with pytest.raises(TooLarge):
        parse_products([MILK] * (MAX_ROWS + 1))


_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(),
    st.text(st.characters(), max_size=20),
    st.lists(st.integers(), max_size=2),
)
_COLUMNS = st.one_of(
    st.sampled_from(["name", "price", "retailer", "currency", "url", "size"]), st.text(max_size=5)
)


@given(st.lists(st.one_of(_VALUES, st.dictionaries(_COLUMNS, _VALUES, max_size=6)), max_size=4))
def test_each_row_is_either_stored_or_explained(products: list[object]) -> None:
    parsed = parse_products(products, default_retailer="keells")
    refused = {error.row for error in parsed.errors}
    stored = {row.row for row in parsed.rows}
    assert refused | stored == set(range(1, len(products) + 1))
    assert not refused & stored
    for row in parsed.rows:
        row.name.encode()
        assert row.name
        assert row.price_minor >= 0


def test_json_uploads_do_not_pay_for_spreadsheets() -> None:
    heavy = "{'openpyxl', 'rapidfuzz', 'csv', 'zipfile', 'xml'}"
    code = f"import sys, shared.products.upload_rows; sys.exit(str({heavy} & set(sys.modules)))"
    ran = subprocess.run(  # noqa: S603 - our own interpreter and a literal
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert ran.stderr.strip() == "set()"
