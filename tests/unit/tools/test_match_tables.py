"""Tables as others write them."""

import csv
from pathlib import Path

import pytest

from shared.products.matching import Offer
from tools.match_tables import read_tables


def offers(folder: Path, *tables: str) -> list[Offer]:
    for name, text in zip(("tableA.csv", "tableB.csv"), tables, strict=True):
        (folder / name).write_text(text, encoding="utf-8")
    return read_tables(folder).offers


def test_columns_may_bear_other_usual_names(tmp_path: Path) -> None:
    found = offers(
        tmp_path,
        "id,title,category,brand,modelno,price\n1,Coffee Maker,kitchen,Acme,CM-100,12.50\n",
        "ID,Product Name,Manufacturer,MPN,priceCurrency,Price\n1,Coffee,Acme,CM-100,USD,12\n",
    )
    assert [(o.name, o.brand, o.model, o.category, o.price_minor) for o in found] == [
        ("Coffee Maker", "Acme", "CM100", "kitchen", 1250),
        ("Coffee", "Acme", "CM100", "", 1200),
    ]


def test_columns_may_have_other_names_and_say_nothing_in_words(tmp_path: Path) -> None:
    found = offers(
        tmp_path,
        "id,Title,category,brand,modelno,price\n"
        '1,"Sony 19"" Turntable, black",stereos,sony,PS-LX 350H,"$1,299.90"\n'
        "2,Belkin Cable,NaN,nan,None,nan\n3,Bose Speaker,,,,N/A\n",
        "\ufeffid,name,manufacturer,mpn,model,list_price\n"
        '1,"Sony, ""belt drive""",Sony,,PSLX350H,USD 12.5\n'
        "2,Belkin,Belkin Components,x,,-5\n3,Bose\n",
    )
    said = [(o.name, o.category, o.brand, o.model, o.price_minor) for o in found]
    assert said == [
        ('Sony 19" Turntable, black', "stereos", "sony", "PSLX350H", 129990),
        ("Belkin Cable", "", "", "", 0),
        ("Bose Speaker", "", "", "", 0),
        ('Sony, "belt drive"', "", "Sony", "PSLX350H", 1250),
        ("Belkin", "", "Belkin Components", "x", 0),
        ("Bose", "", "", "", 0),
    ]
    assert {offer.retailer for offer in found} == {"A", "B"}


def test_a_column_of_the_fields_own_name_goes_before_others(tmp_path: Path) -> None:
    table = "id,title,manufacturer,name,brand\n1,a,b,c,d\n2,a,b,,NULL\n"
    first, second = offers(tmp_path, table, table)
    assert (first.name, first.brand) == ("c", "d")
    # Where it says nothing, another does.
    assert (second.name, second.brand) == ("a", "b")


@pytest.mark.parametrize("nothing", ["nan", "None", "NULL", "n/a", "-"])
def test_a_word_for_nothing_says_nothing(tmp_path: Path, nothing: str) -> None:
    table = f"id,name,brand,price\n-,Tea,{nothing},{nothing}\n"
    (found,) = offers(tmp_path, table, table)
    assert (found.id, found.brand, found.price_minor) == ("A-", "", 0)


@pytest.mark.parametrize(
    ("written", "price_minor", "currency"),
    [
        ("Rs 450", 45000, "LKR"),
        ("$12.99", 1299, "USD"),
        ("1,299.00", 129900, ""),
        ("12,99", 1299, ""),
        ("1.299,00 EUR", 129900, "EUR"),
        ("9.9", 990, ""),
        # Three decimals of a machine, that a person could mean otherwise.
        ("1.299", 130, ""),
        ("0.125", 12, ""),
        ("Rs. 1.299", 130, "LKR"),
        ("1.299.00", 0, ""),
        ("1.299 per kg", 0, ""),
        ("", 0, ""),
        ("on request", 0, ""),
        ("-3", 0, ""),
        ("0", 0, ""),
    ],
)
def test_prices_are_read_as_people_write_them(
    tmp_path: Path, written: str, price_minor: int, currency: str
) -> None:
    table = f'id,name,price\n1,Tea,"{written}"\n'
    (found,) = offers(tmp_path, table, table)
    assert (found.price_minor, found.currency) == (price_minor, currency)


def test_prices_are_compared_as_they_stand_where_a_table_says_no_currency(tmp_path: Path) -> None:
    ours, theirs = "id,name,price\n1,Tea,$12.99\n", "id,name,price\n1,Tea,12.99\n"
    assert [o.currency for o in offers(tmp_path, ours, theirs)] == ["", ""]
    assert [o.currency for o in offers(tmp_path, ours, ours + "2,Tea,£1\n")] == [
        "USD",
        "USD",
        "GBP",
    ]


def test_a_sign_before_some_prices_parts_them_from_no_others(tmp_path: Path) -> None:
    some = "id,name,price\n1,Tea,$12.99\n2,Tea,12.99\n3,Tea,£12.99\n"
    assert [o.currency for o in offers(tmp_path, some, some)] == ["", "", ""]
    assert [o.currency for o in offers(tmp_path, some, some + "4,Tea,$1\n")] == [""] * 7
    # Of a column that names one currency as well; where it names several, none is unknown.
    column = "id,name,price,currency\n1,Tea,9,USD\n2,Tea,9,\n"
    assert [o.currency for o in offers(tmp_path, column, column)] == ["", ""]
    column += "3,Tea,9,JPY\n"
    assert [o.currency for o in offers(tmp_path, column, column)] == ["USD", "", "JPY"]
    # What has no price has nothing to compare.
    unpriced = "id,name,price\n1,Tea,$12.99\n2,Tea,\n3,Tea,£12.99\n"
    assert [o.currency for o in offers(tmp_path, unpriced, unpriced)] == ["USD", "", "GBP"]


def test_a_shops_own_number_is_no_model(tmp_path: Path) -> None:
    table = "id,name,sku\n1,Tea,100432\n"
    assert [o.model for o in offers(tmp_path, table, table)] == [""]


def test_a_brand_may_be_called_nan(tmp_path: Path) -> None:
    table = "id,name,brand,size\n1,NAN,Nan,NAN\n2,nan,NaN,nan\n"
    first, second = offers(tmp_path, table, table)
    assert (first.name, first.brand, first.size) == ("NAN", "Nan", "")
    assert (second.name, second.brand, second.size) == ("", "", "")


def test_a_cell_may_be_long_and_a_row_short(tmp_path: Path) -> None:
    table = f"id,name,description,price\n1,Tea,{'word ' * 40_000},5\n2,Coffee\n"
    limit = csv.field_size_limit()
    tea, coffee = offers(tmp_path, table, table)
    assert csv.field_size_limit() == limit
    assert len(tea.description) == 199_999
    assert (coffee.name, coffee.description, coffee.price_minor) == ("Coffee", "", 0)


def test_a_row_that_stands_twice_is_one_offer(tmp_path: Path) -> None:
    table = "id,name\n1,Tea\n1,Tea\n"
    assert len(offers(tmp_path, table, table)) == 1
