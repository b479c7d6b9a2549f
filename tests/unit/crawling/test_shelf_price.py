"""Labels as shops write them: what each states, or that it can be read in two ways."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.crawling.shelf_price import ShelfPrice, read_machine_price, read_shelf_price

Label = tuple[str, int]

PLAIN: list[Label] = [
    ("Rs. 1,234.50", 123450),
    ("Rs. 1 234/-", 123400),
    ("LKR1,234", 123400),
    ("Rs 150.00", 15000),
    ("Rs.150", 15000),
    ("Rs150.00", 15000),
    ("RS. 99.90", 9990),
    ("rs 45", 4500),
    ("Rs. 12,500.00", 1250000),
    ("Rs. 125,000.00", 12500000),
    ("Rs 1,25,000.00", 12500000),
    ("Rs. 10,00,000", 100000000),
    ("LKR 450.00", 45000),
    ("LKR. 450.00", 45000),
    ("lkr 450", 45000),
    ("450.00 LKR", 45000),
    ("450 LKR", 45000),
    ("Rs. 1,234.50/-", 123450),
    ("Rs. 980/=", 98000),
    ("Rs 980 /-", 98000),
    ("1234", 123400),
    ("1,234", 123400),
    ("1,234.5", 123450),
    ("1 234,50", 123450),
    ("1.234,50", 123450),
    ("1\u00a0234.50", 123450),
    ("1\u202f234,50", 123450),
    ("1234/-", 123400),
    ("\u20a8 350", 35000),
    ("\u20a8. 1,350.00", 135000),
    ("\u0dbb\u0dd4. 450.00", 45000),
    ("\u0dbb\u0dd4 450", 45000),
    ("\u0dbb\u0dd4.1,450.00", 145000),
    ("  Rs.\n   275.00  ", 27500),
    ("Rs\u00a0275.00", 27500),
    ("\uff32\uff53\uff0e\uff12\uff17\uff15", 27500),
    ("0.50", 50),
    ("Rs 0.75", 75),
    ("Rs. 1,150.00 / Unit", 115000),
    ("Rs 85.00 / unit", 8500),
    ("Rs. 120.00 each", 12000),
    ("Rs. 120.00 per pack", 12000),
    ("Rs. 45.00 ea", 4500),
    ("Rs 45.00 / pcs", 4500),
    ("120.00 / Unit", 12000),
    ("Price: Rs. 640.00", 64000),
    ("Price Rs.640", 64000),
    ("Rs. 640.00 (incl. of all taxes)", 64000),
    ("Rs. 640.00 + VAT", 64000),
    ("Only Rs. 199/-", 19900),
    ("Today Rs 199.00!", 19900),
    ("Rs. 199.00*", 19900),
    ("Our price: LKR 1,999.00", 199900),
    ("Regular price Rs. 100.00", 10000),
    ("MRP Rs. 250.00", 25000),
    ("MRP: 250.00 LKR", 25000),
    ("Online price Rs. 1,020.00", 102000),
    ("Selling Price - Rs. 88.00", 8800),
    ("Rs 120 100g", 12000),
    ("Rs.150.00 500 g", 15000),
    ("500g Rs. 150.00", 15000),
    ("Rs. 1,500.00 1kg pack", 150000),
    ("Pack of 6 Rs. 720.00", 72000),
    ("Rs. 720.00 for 6 pcs", 72000),
    ("Rs 99.99 In stock", 9999),
    ("Add to cart Rs 99.99", 9999),
    ("Rs 300.00 Rs 300.00", 30000),
    ("Rs 300 15% off", 30000),
    ("Rs 120 12 pcs", 12000),
    ("Rs 199\u00b9", 19900),
    ("Price 1 234 LKR", 123400),
    ("Now 1 234.50 LKR", 123450),
]

ABROAD: list[tuple[str, int, str]] = [
    ("\u00a32.50", 250, "GBP"),
    ("\u00a3 1,234.00", 123400, "GBP"),
    ("2.50 GBP", 250, "GBP"),
    ("GBP 2.50", 250, "GBP"),
    ("85p", 85, "GBP"),
    ("85 p", 85, "GBP"),
    ("\u00a31", 100, "GBP"),
    ("\u00a30.45", 45, "GBP"),
    ("$5", 500, "USD"),
    ("$ 1,299.99", 129999, "USD"),
    ("USD 12.00", 1200, "USD"),
    ("US$12.00", 1200, "USD"),
    ("US$ 1,200", 120000, "USD"),
    ("A$14.95", 1495, "AUD"),
    ("C$14.95", 1495, "CAD"),
    ("NZ$7.20", 720, "NZD"),
    ("S$7.20", 720, "SGD"),
    ("HK$58.00", 5800, "HKD"),
    ("R$ 1.234,56", 123456, "BRL"),
    ("99\u00a2", 99, "USD"),
    ("1.234,50 EUR", 123450, "EUR"),
    ("1.234,50\u00a0\u20ac", 123450, "EUR"),
    ("\u20ac1,234.50", 123450, "EUR"),
    ("\u20ac 12,99", 1299, "EUR"),
    ("12,99 \u20ac", 1299, "EUR"),
    ("12,99\u20ac", 1299, "EUR"),
    ("EUR 12,99", 1299, "EUR"),
    ("1 234,50 \u20ac", 123450, "EUR"),
    ("0,89 \u20ac", 89, "EUR"),
    ("nur 0,89 \u20ac", 89, "EUR"),
    ("jetzt 3,49 \u20ac", 349, "EUR"),
    ("12'345.50 CHF", 1234550, "CHF"),
    ("CHF 12\u2019345.50", 1234550, "CHF"),
    ("Fr. 4.95", 495, "CHF"),
    ("\u20b9499", 49900, "INR"),
    ("\u20b9 1,49,999.00", 14999900, "INR"),
    ("INR 499", 49900, "INR"),
    ("\u00a51,980", 1980, "JPY"),
    ("1,980 JPY", 1980, "JPY"),
    ("\u20a912,000", 12000, "KRW"),
    ("129.000\u20ab", 129000, "VND"),
    ("4.750 KWD", 4750, "KWD"),
    ("KWD 0.450", 450, "KWD"),
    ("RM 12.90", 1290, "MYR"),
    ("12,99 z\u0142", 1299, "PLN"),
    ("129 K\u010d", 12900, "CZK"),
    ("1 299 Ft", 129900, "HUF"),
    ("AED 25.00", 2500, "AED"),
    ("25.00 SAR", 2500, "SAR"),
    ("\u20aa 19.90", 1990, "ILS"),
    ("THB 1,290.00", 129000, "THB"),
    ("$.99", 99, "USD"),
    ("US$ .99", 99, "USD"),
    ("\u00a3.50", 50, "GBP"),
]

# A sign or a bare number means what the retailer counts in.
AT_HOME: list[tuple[str, str, int]] = [
    ("$5.00", "AUD", 500),
    ("$1,299", "CAD", 129900),
    ("Rs. 450", "INR", 45000),
    ("Rs. 1,450/-", "PKR", 145000),
    ("Rs 450", "NPR", 45000),
    ("99,90 kr", "SEK", 9990),
    ("kr 1 299,00", "NOK", 129900),
    ("1.299,00 kr.", "DKK", 129900),
    ("\u00a518.80", "CNY", 1880),
    ("1.234", "KWD", 1234),
    ("2.500", "OMR", 2500),
    ("1 990", "JPY", 1990),
    ("12.50", "GBP", 1250),
]

# text, price, former price, price of a quantity, the quantity
TOLD_APART: list[tuple[str, int, int | None, int | None, str | None]] = [
    ("Rs. 600.00 Rs 120.00/100g", 60000, None, 12000, "100g"),
    ("Rs 120.00/100g Rs 600.00", 60000, None, 12000, "100g"),
    ("Rs. 600.00 (Rs 120.00 / 100 g)", 60000, None, 12000, "100g"),
    ("Rs. 600.00 (Rs 1,200.00/kg)", 60000, None, 120000, "kg"),
    ("Rs. 600.00 Rs. 1,200 per kg", 60000, None, 120000, "kg"),
    ("Rs. 340.00 LKR 34.00 per 100ml", 34000, None, 3400, "100ml"),
    ("LKR 340.00 | LKR 340.00/L", 34000, None, 34000, "l"),
    ("\u00a32.00 (\u00a34.00/kg)", 200, None, 400, "kg"),
    ("\u00a32.00 40p/100g", 200, None, 40, "100g"),
    ("\u00a31.75 \u00a30.35 / 100ml", 175, None, 35, "100ml"),
    ("3,49 \u20ac (6,98 \u20ac/kg)", 349, None, 698, "kg"),
    ("3,49 \u20ac 6,98 \u20ac / 1 kg", 349, None, 698, "1kg"),
    ("$4.99 ($0.31/oz)", 499, None, 31, "oz"),
    ("$4.99 $0.31 per ounce", 499, None, 31, "ounce"),
    ("Was Rs 500 Now Rs 400", 40000, 50000, None, None),
    ("Was Rs. 1,234.50 Now Rs. 999/- (Rs 120.00/100g)", 99900, 123450, 12000, "100g"),
    ("Now Rs. 999/- Was Rs. 1,234.50", 99900, 123450, None, None),
    ("Rs. 999.00 was Rs. 1,234.50", 99900, 123450, None, None),
    ("MRP Rs. 100 Our price Rs. 90", 9000, 10000, None, None),
    ("MRP: Rs. 100.00 Rs. 90.00", 9000, 10000, None, None),
    ("Regular price Rs. 100.00 Sale price Rs. 80.00", 8000, 10000, None, None),
    ("Sale price Rs. 80.00 Regular price Rs. 100.00", 8000, 10000, None, None),
    ("RRP \u00a312.99 \u00a39.99", 999, 1299, None, None),
    ("\u00a39.99 RRP \u00a312.99 Save \u00a33.00", 999, 1299, None, None),
    ("List price: $19.99 $14.99 You save $5.00", 1499, 1999, None, None),
    ("statt 4,99 \u20ac jetzt 3,99 \u20ac", 399, 499, None, None),
    ("UVP 4,99 \u20ac 3,99 \u20ac", 399, 499, None, None),
    ("Old price Rs. 250.00 Special price Rs. 199.00", 19900, 25000, None, None),
    ("Usual price Rs. 250.00, offer price Rs. 199.00", 19900, 25000, None, None),
    ("Rs. 450.00 You save Rs. 50.00", 45000, None, None, None),
    ("Rs. 450.00 (Rs. 50.00 off)", 45000, None, None, None),
    ("Rs. 450.00 Save Rs. 50", 45000, None, None, None),
    ("\u00a31.75 2 for \u00a33", 175, None, None, None),
    ("\u00a32 12 for \u00a315", 200, None, None, None),
    ("\u00a31.75 Any 3 for \u00a34.00", 175, None, None, None),
    ("Rs. 120.00 Buy 3 for Rs. 300.00", 12000, None, None, None),
    ("Rs. 2,450.00 + Rs. 350.00 delivery", 245000, None, None, None),
    ("Rs. 2,450.00 Delivery: Rs. 350.00", 245000, None, None, None),
    ("Rs. 89,990.00 or Rs. 7,499.00 a month", 8999000, None, None, None),
    ("Rs. 89,990.00 or 3 x Rs. 29,996.66", 8999000, None, None, None),
    ("Rs. 300.00 15% off", 30000, None, None, None),
    ("1,150.00 / Unit", 115000, None, None, None),
]

REFUSED: list[str] = [
    "",
    "Free",
    "Call for price",
    "Out of stock",
    "Rs",
    "Rs. -",
    "N/A",
    "-Rs 50",
    "- 50.00",
    "(50.00)",
    "Rs. -50.00",
    "Rs 240 / kg",
    "Rs. 240.00 per 100g",
    "\u00a34.00/kg",
    "Rs 100 - Rs 200",
    "Rs. 100.00 \u2013 Rs. 200.00",
    "Rs 100 to Rs 200",
    "Rs 100-200",
    "from Rs 100",
    "From \u00a35.00",
    "Starting at $9.99",
    "as low as Rs 45",
    "Up to Rs. 500",
    "ab 3,49 \u20ac",
    "2 for \u00a33",
    "Any 3 for \u00a34.00",
    "Save Rs. 50",
    "Rs. 50.00 off",
    "50% off",
    "Was Rs 500",
    "RRP \u00a312.99",
    "Rs 250.00 Rs 199.00",
    "Rs 1.234",
    "1.234 LKR",
    "1,23,4",
    "1..5",
    "1,234.567,8",
    "XYZ 5.00",
    "99 kr",
    "Rs. 1,2345",
    "Delivery Rs. 350.00",
    "Rs. 1.005,5,5",
    "four hundred rupees",
    "Rs. 1e5",
    "$5 99",
    "$5\u2079\u2079",
    "5 99 \u20ac",
    "Rs. 1,234 50",
    "\u00a33 49 each",
    "$. 99",
    "Rs .50",
    "Pack of 2 150 Rs",
    "Size 10 500.00 LKR",
    "Size 10 500 LKR",
    "5" * 30,
    "x" * 301,
]


@pytest.mark.parametrize(("text", "minor"), PLAIN)
def test_a_price_in_the_retailers_own_money(text: str, minor: int) -> None:
    assert read_shelf_price(text, "LKR") == ShelfPrice(minor, "LKR")


@pytest.mark.parametrize(("text", "minor", "currency"), ABROAD)
def test_a_price_in_the_money_that_it_names(text: str, minor: int, currency: str) -> None:
    assert read_shelf_price(text, "LKR") == ShelfPrice(minor, currency)


@pytest.mark.parametrize(("text", "currency", "minor"), AT_HOME)
def test_what_several_countries_write_means_the_retailers_own(
    text: str, currency: str, minor: int
) -> None:
    assert read_shelf_price(text, currency) == ShelfPrice(minor, currency)


@pytest.mark.parametrize(("text", "minor", "was", "per", "unit"), TOLD_APART)
def test_the_price_is_told_apart_from_what_stands_beside_it(
    text: str, minor: int, was: int | None, per: int | None, unit: str | None
) -> None:
    read = read_shelf_price(text, "LKR")

    assert (read.price_minor, read.was_minor, read.unit_price_minor, read.unit) == (
        minor,
        was,
        per,
        unit,
    )


@pytest.mark.parametrize("text", REFUSED)
def test_what_states_no_price_or_two_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_shelf_price(text, "LKR")


def test_what_a_page_strikes_out_is_the_former_price() -> None:
    read = read_shelf_price("Rs. 199.00", "LKR", crossed="Rs. 250.00")

    assert (read.price_minor, read.was_minor) == (19900, 25000)


@pytest.mark.parametrize(
    ("value", "currency", "minor"),
    [
        ("1234.50", "LKR", 123450),
        ("1,234.50", "LKR", 123450),
        ("Rs. 1,234.50", "LKR", 123450),
        (1234, "LKR", 123400),
        (Decimal("0.1"), "LKR", 10),
        (Decimal("199.9900"), "GBP", 19999),
        ("1.234", "KWD", 1234),
        ("1500", "JPY", 1500),
    ],
)
def test_structured_data_states_its_price_with_a_point(
    value: object, currency: str, minor: int
) -> None:
    assert read_machine_price(value, currency) == minor


@pytest.mark.parametrize(
    "value", ["1.234", Decimal("1.005"), True, None, "-5", "", {}, 1.5, "US$ 12.50"]
)
def test_a_machines_price_is_exact_or_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_machine_price(value, "LKR")


@given(st.integers(0, 10**9), st.integers(0, 99))
def test_every_grouping_of_a_labels_amount_reads_the_same(whole: int, cents: int) -> None:
    english = f"{whole:,}.{cents:02}"
    german = english.translate(str.maketrans(",.", ".,"))
    spaced = english.replace(",", "\u00a0")
    labels = (f"Rs. {english}", f"{german} LKR", f"Now Rs {spaced}", f"LKR{whole}.{cents:02}")

    assert {read_shelf_price(label, "LKR").price_minor for label in labels} == {whole * 100 + cents}


@given(st.text(alphabet="0123456789.,-/ 'RsLKp\u00a3\u20ac()wasfrom", max_size=40))
def test_a_label_is_read_or_refused_and_never_negative(text: str) -> None:
    try:
        read = read_shelf_price(text, "LKR")
    except ValueError:
        return
    assert read.price_minor >= 0
