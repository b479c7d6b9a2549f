"""The catalogue's own tool: what it leaves out, how it draws, what it writes."""

import csv
from pathlib import Path

import numpy as np
import pytest

from tools import classify_local
from tools.classify_local import Outcome, drawn, read

ROWS = [
    ("Kind", "Title"),
    ("Tea", "Ceylon  tea bags"),
    ("Tea", "CEYLON TEA BAGS"),
    ("Soap", "Lux bath soap"),
    ("unknown", "Something"),
    ("", "Nothing"),
    ("Tea", "Green tea"),
    ("Soap", "Hand wash"),
]


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    path = tmp_path / "catalogue.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(ROWS)
    return path


def test_duplicates_and_what_has_no_category_are_left_out(catalogue: Path) -> None:
    names = [each.text for each in read(catalogue, "Title", "Kind")]
    assert names == ["Ceylon tea bags", "Lux bath soap", "Green tea", "Hand wash"]


def test_a_lot_is_the_same_whatever_the_order_and_another_for_another_split(
    catalogue: Path,
) -> None:
    products = read(catalogue, "Title", "Kind")
    first, turned = drawn(products, 2, 0), drawn(products[::-1], 2, 0)
    assert first == turned
    assert len(first.told) == 2
    assert not {each.text for each in first.told} & {each.text for each in first.asked}
    assert len({tuple(each.text for each in drawn(products, 2, n).told) for n in range(9)}) > 1


def test_the_scores_are_of_the_products_that_were_asked_for(
    catalogue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "scores.csv"
    columns = ["--name-column", "Title", "--category-column", "Kind"]
    assert classify_local.main([str(catalogue), *columns, "--labels", "1", "--out", str(out)]) == 0
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3
    assert all(row["answer"] == row["category"] for row in rows)
    assert all(0 < int(row["confidence"]) <= 99 for row in rows)
    assert "1 labels, 3 products: 100.0 % right" in capsys.readouterr().out


def test_the_calibration_error_is_nothing_where_confidence_is_kept() -> None:
    right = np.arange(1500) % 2 == 0
    assert Outcome(right, np.full(1500, 0.5)).calibration_error < 0.01
    assert Outcome(right, np.full(1500, 0.9)).calibration_error == pytest.approx(0.4, abs=0.01)
