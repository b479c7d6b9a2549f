from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.products.price_text import parse_price


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("150", "150", None),
        ("150.5", "150.5", None),
        ("Rs 150.00", "150.00", "LKR"),
        ("Rs. 1,234.50", "1234.50", "LKR"),
        ("Rs.1,234.50/-", "1234.50", "LKR"),
        ("\u20a8 99", "99", "LKR"),
        ("\u0dbb\u0dd4. 450.00", "450.00", "LKR"),
        ("LKR1,234", "1234", "LKR"),
        ("1 234/-", "1234", None),
        ("1\u00a0234,50 \u20ac", "1234.50", "EUR"),
        ("1'234.50 CHF", "1234.50", "CHF"),
        ("\u00a32.50", "2.50", "GBP"),
        ("2.50 GBP", "2.50", "GBP"),
        ("1.234,50", "1234.50", None),
        ("1.234.567", "1234567", None),
        ("1,00,000.00", "100000.00", None),
        ("12,5", "12.5", None),
        ("\uff11\uff12\uff10", "120", None),
        ("Rs 1,150.00 / Unit", "1150.00", "LKR"),
        ("0", "0", None),
    ],
)
def test_prices_as_written(text: str, amount: str, currency: str | None) -> None:
    assert parse_price(text) == (Decimal(amount), currency)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "free",
            "Rs 240 / kg",
            "Rs",
            "-5",
            "\u22125",
            "(5)",
            "Rs -5",
            "1.234",
            "1,23,4",
            "0,123",
            "1,2345,678",
        ),
        *("10-20", "1 2 3", "1..2", "1.", ".5", "1,234.567,8", "Rs 5 USD", "XYZ 5", "1e5", "NaN"),
        *("\u0663\u0664", "5" * 41, "\x00", "\ud800"),
    ],
)
def test_what_is_no_price_or_has_two_readings_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_price(text)


def test_three_decimals_are_read_where_the_currency_has_them() -> None:
    assert parse_price("1.234", "KWD")[0] == Decimal("1.234")


@given(st.integers(0, 10**9), st.integers(0, 99))
def test_every_grouping_of_an_amount_reads_the_same(whole: int, cents: int) -> None:
    exact = Decimal(f"{whole}.{cents:02}")
    english = f"{whole:,}.{cents:02}"
    german = english.translate(str.maketrans(",.", ".,"))
    assert {parse_price(text)[0] for text in (str(exact), english, german)} == {exact}


@given(st.text(alphabet="0123456789.,-/ 'RsLK\u00a3e", max_size=12))
def test_a_price_is_read_or_refused_and_never_negative(text: str) -> None:
    try:
        amount, _ = parse_price(text)
    except ValueError:
        return
    assert amount >= 0
