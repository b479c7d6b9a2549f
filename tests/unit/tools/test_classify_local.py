"""The catalogue's own tool: what it leaves out, how it draws, what it writes."""

import csv
from pathlib import Path

import numpy as np
import pytest

from shared.classification import local_model
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
    assert classify_local.main([str(catalogue), *COLUMNS, "--labels", "1", "--out", str(out)]) == 0
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3
    assert all(row["answer"] == row["category"] for row in rows)
    assert all(0 < int(row["confidence"]) <= 99 for row in rows)
    assert "1 labels, 3 products: 100.0 % right" in capsys.readouterr().out


COLUMNS = ["--name-column", "Title", "--category-column", "Kind"]


@pytest.mark.parametrize(
    "case",
    [
        (b"Title,Sort\nTea,Tea\n", [], "has no column 'Kind'; it has Title, Sort"),
        (b"", [], "has no column 'Title'; it has no line"),
        ("Title,Kind\nTea,Tea\nCaf\xe9,Tea\n".encode("latin-1"), [], "line 3: is not UTF-8 text"),
        ("Title,Kind\nTea,Tea\n".encode("utf-16"), [], "line 1: is not UTF-8 text"),
        (b'Title,Kind\n"' + b"x" * 200_000, [], "line 2: field larger than field limit"),
        (b"Title,Kind\n", [], "0 labels leave none of 0 products"),
        (b"Title,Kind\nTea,Tea\nSoap,Soap\n", ["--labels", "2"], "leave none of 2 products"),
        (b"Title,Kind\nTea,Tea\nSoap,Soap\n", ["--labels", "3"], "leave none of 2 products"),
        (b"Title,Kind\nTea,Tea\nSoap,Soap\n", ["--labels", "-1"], "less than none"),
        (b"Title,Kind\nTea,Tea\n", ["--out", "nowhere/scores.csv"], "No such file"),
        (b"Title,Kind\nTea,Tea\n", ["--out", "."], ".: Is a directory"),
        (b"Title,Kind\nTea,Tea\n", ["--out", "odd.csv"], "is the catalogue itself"),
        (None, [], "odd.csv: No such file"),
    ],
)
def test_what_is_no_catalogue_ends_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    case: tuple[bytes | None, list[str], str],
) -> None:
    text, more, told = case
    monkeypatch.chdir(tmp_path)
    if text is not None:
        Path("odd.csv").write_bytes(text)
    assert classify_local.main(["odd.csv", *COLUMNS, "--out", "scores.csv", *more]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert told in said.err
    assert text is None or Path("odd.csv").read_bytes() == text


def test_a_run_that_fails_leaves_the_result_before_it_and_names_what_failed(
    catalogue: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def lacking(*_: object, **__: object) -> None:
        raise FileNotFoundError(2, "No such file or directory", "model.onnx")

    out = tmp_path / "scores.csv"
    out.write_text("of before")
    wanted = [str(catalogue), *COLUMNS, "--out", str(out)]
    with monkeypatch.context() as patched:
        patched.setattr(classify_local, "answers", lacking)
        assert classify_local.main(wanted) == 2
    assert capsys.readouterr().err == "classify_local: model.onnx: No such file or directory\n"
    assert out.read_text() == "of before"
    assert classify_local.main(wanted) == 0
    assert out.read_text().startswith("name,category")
    assert {each.name for each in tmp_path.iterdir()} == {"catalogue.csv", "scores.csv"}


def test_short_and_long_rows_and_a_single_category_are_fine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "odd.csv", tmp_path / "scores.csv"
    path.write_text("Title,Kind\nTea one\nTea two,Tea\n\nTea three,Tea,more\n")
    for labels in ("0", "1"):
        wanted = [str(path), *COLUMNS, "--labels", labels, "--out", str(out)]
        assert classify_local.main(wanted) == 0
    assert "1 labels, 1 products: 100.0 % right" in capsys.readouterr().out


def test_more_labels_than_are_learned_are_told(
    catalogue: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for module in (classify_local, local_model):
        monkeypatch.setattr(module, "MOST_EXAMPLES", 2)
    out = tmp_path / "scores.csv"
    assert classify_local.main([str(catalogue), *COLUMNS, "--labels", "3", "--out", str(out)]) == 0
    assert "3 labels, of which `local` learns no more than 2, 1 prod" in capsys.readouterr().out


def test_the_calibration_error_is_nothing_where_confidence_is_kept() -> None:
    right = np.arange(1500) % 2 == 0
    assert Outcome(right, np.full(1500, 0.5)).calibration_error < 0.01
    assert Outcome(right, np.full(1500, 0.9)).calibration_error == pytest.approx(0.4, abs=0.01)
