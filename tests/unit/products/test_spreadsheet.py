import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.products.spreadsheet import csv_line, safe_cell


@pytest.mark.parametrize("text", ["=1+1", "+1", "-2+3", "@SUM(A1)", "\tx", "\rx", "-", "-1.5e3"])
def test_formulas_are_disarmed(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-5", "-1234.50", "milk", "", "1=1", "a-b"])
def test_other_text_is_untouched(text: str) -> None:
    assert safe_cell(text) == text


def test_a_line_quotes_what_must_be_quoted() -> None:
    assert csv_line(["a,b", 'say "x"', None, -5, "=1"]) == '"a,b","say ""x""",,-5,\'=1\r\n'


@given(st.lists(st.text(st.characters(exclude_characters="\x00")), min_size=2))
def test_a_line_reads_back(values: list[str]) -> None:
    (read,) = csv.reader(io.StringIO(csv_line(values), newline=""))
    assert read == [safe_cell(value) for value in values]
