import csv
from collections.abc import Iterable
from itertools import product
from pathlib import Path

import pytest

from shared.products.matching import bulk, sampling, train
from shared.products.matching.one_retailer import STRONG
from tools.match_pairs import main, read_tables

COLUMNS = (
    *("id", "name", "brand", "category", "model"),
    *("size", "price", "currency", "retailer", "description"),
)
ITEMS = list(product(("Munchee", "Maliban", "Kandos"), ("Cracker", "Wafer"), ("45g", "100g")))


def _write(path: Path, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([list(header), *map(list, rows)])


def _table(path: Path, pattern: str, retailer: str) -> None:
    rows = [
        (at, pattern.format(brand, kind, size), "", "", "", "", 10 + at, "LKR", retailer, "")
        for at, (brand, kind, size) in enumerate(ITEMS)
    ]
    _write(path, COLUMNS, rows)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    _table(tmp_path / "tableA.csv", "{} {} {}", "")
    _table(tmp_path / "tableB.csv", "{1} by {0} {2}", "")
    pairs = [(a, b, 0) for a in range(len(ITEMS)) for b in range(len(ITEMS))]
    _write(tmp_path / "test.csv", ("ltable_id", "rtable_id", "label"), pairs)
    return tmp_path


def _scores(folder: Path, *options: str) -> dict[tuple[str, str], float]:
    out = folder / "scores.csv"
    assert main([str(folder), *options, "--out", str(out)]) == 0
    with out.open(encoding="utf-8") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    assert reader.fieldnames == ["ltable_id", "rtable_id", "confidence"]
    return {(r["ltable_id"], r["rtable_id"]): float(r["confidence"]) for r in rows}


def test_pairs_are_told_apart_whatever_their_labels_say(folder: Path) -> None:
    scores = _scores(folder)
    assert len(scores) == len(ITEMS) ** 2
    assert {pair for pair, confidence in scores.items() if confidence >= 50} == {
        (str(at), str(at)) for at in range(len(ITEMS))
    }


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
@pytest.mark.parametrize("labelled", [False, True], ids=["no labels", "labels"])
def test_a_pair_alone_is_as_sure_as_among_others(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    labelled: bool,  # noqa: FBT001 - filled in by pytest
    large: bool,  # noqa: FBT001 - filled in by pytest
) -> None:
    if large:
        # Taught on a part, with the few likeliest candidates of each.
        for module in (bulk, sampling):
            monkeypatch.setattr(module, "MOST_AT_ONCE", 5)
        monkeypatch.setattr(sampling, "_SAMPLE", 12)
        monkeypatch.setattr(sampling, "_RUN", 4)
        assert len(sampling.sample(read_tables(folder).offers, ())) == 12
    rows = [(a, b, int(a == b)) for a in range(6) for b in range(6)]
    _write(folder / "train.csv", ("ltable_id", "rtable_id", "label"), rows)
    options = ("--labels", str(folder / "train.csv")) if labelled else ()
    among = _scores(folder, *options)
    # One that is labelled, one of labelled offers, and ones of which nobody has said anything.
    for pair in (("0", "0"), ("3", "2"), ("1", "9"), ("10", "10")):
        _write(folder / "few.csv", ("ltable_id", "rtable_id"), [pair])
        few = _scores(folder, *options, "--pairs", str(folder / "few.csv"))
        assert few == {pair: among[pair]}


def test_labels_move_what_is_found(folder: Path) -> None:
    # Of the first nothing is said: what is said of the others moves it.
    rows = [(a, a, 0) for a in range(2, len(ITEMS))] + [(a, a ^ 1, 1) for a in range(2, len(ITEMS))]
    _write(folder / "train.csv", ("ltable_id", "rtable_id", "label"), rows)
    taught = _scores(folder, "--labels", str(folder / "train.csv"))
    assert taught["0", "0"] < _scores(folder)["0", "0"]


def test_all_writes_what_matches(folder: Path) -> None:
    assert set(_scores(folder, "--all")) == {(str(at), str(at)) for at in range(len(ITEMS))}


def test_what_was_decided_stands_whatever_the_score(folder: Path) -> None:
    rows = [(a, a, int(a != 1)) for a in range(6)] + [(0, 5, 0), (0, 5, 1)]
    _write(folder / "train.csv", ("ltable_id", "rtable_id", "label"), rows)
    labels = ("--labels", str(folder / "train.csv"))
    scores, accepted = _scores(folder, *labels), _scores(folder, *labels, "--all")
    assert (scores["0", "0"], scores["1", "1"]) == (100, 0)
    # Far apart, but somebody said so, and the last word counts.
    assert scores["0", "5"] == accepted["0", "5"] == 100
    assert ("1", "1") not in accepted
    assert {(str(a), str(a)) for a in range(len(ITEMS)) if a != 1} <= accepted.keys()


def test_of_one_table_a_pair_is_decided_either_way_round(folder: Path) -> None:
    (folder / "tableB.csv").write_bytes((folder / "tableA.csv").read_bytes())
    _write(folder / "train.csv", ("ltable_id", "rtable_id", "label"), [(3, 2, 1), (5, 4, 0)])
    labels = ("--labels", str(folder / "train.csv"))
    scores = _scores(folder, *labels)
    assert scores["2", "3"] == scores["3", "2"] == 100
    assert scores["4", "5"] == scores["5", "4"] == 0
    assert _scores(folder, *labels, "--all")["2", "3"] == 100


def test_two_tables_without_retailers_are_two_sources(folder: Path) -> None:
    tables = read_tables(folder)
    assert {offer.retailer for offer in tables.offers} == {"A", "B"}


def _retailers(path: Path, names: Iterable[str]) -> None:
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    told = [*names]
    named = [row | {"retailer": told[at % len(told)]} for at, row in enumerate(rows)]
    _write(path, COLUMNS, [row.values() for row in named])


@pytest.mark.parametrize(
    ("of_a", "of_b", "sources"),
    [
        (["shop"], ["shop"], 1),
        (["shop", *[""] * 11], [""], 1),
        (["shop", *[""] * 11], ["shop", *[""] * 11], 1),
        (["B"], [""], 1),
        (["north", "south"], ["south", "north"], 2),
    ],
    ids=["the same", "one row", "one row each", "named as we would", "several"],
)
def test_two_tables_are_two_sources_whatever_retailers_they_name(
    folder: Path, of_a: list[str], of_b: list[str], sources: int
) -> None:
    _retailers(folder / "tableA.csv", of_a)
    _retailers(folder / "tableB.csv", of_b)
    tables = read_tables(folder)
    left, right = (
        {tables.offers[at].retailer for at in side.values()} for side in (tables.left, tables.right)
    )
    assert left.isdisjoint(right)
    assert len(left) == len(right) == sources


def test_a_retailer_that_one_row_names_changes_no_confidence(folder: Path) -> None:
    unnamed = _scores(folder)
    _retailers(folder / "tableA.csv", ["shop", *[""] * 11])
    _retailers(folder / "tableB.csv", ["shop"])
    assert _scores(folder) == unnamed


def test_an_unnamed_retailer_is_unknown_among_several(folder: Path) -> None:
    _retailers(folder / "tableA.csv", ["north", "south", ""])
    tables = read_tables(folder)
    assert {tables.offers[at].retailer for at in tables.left.values()} == {"north", "south", ""}
    assert {tables.offers[at].retailer for at in tables.right.values()} == {"B"}


def test_a_model_of_its_own_column_tells_names_without_it_apart(tmp_path: Path) -> None:
    brands = ("Sony", "Bose", "Canon", "Epson")
    rows = [(brand, f"{brand[:2].upper()}{number}K") for brand in brands for number in (1207, 3315)]
    for table, spelt in (("A", "{} {}"), ("B", "{}{}")):
        _write(
            tmp_path / f"table{table}.csv",
            ("id", "title", "category", "brand", "modelno", "price"),
            [
                (at, f"{brand} device black", "", brand, spelt.format(model[:2], model[2:]), "")
                for at, (brand, model) in enumerate(rows)
            ],
        )
    pairs = [(a, b) for a in range(len(rows)) for b in range(len(rows))]
    _write(tmp_path / "test.csv", ("ltable_id", "rtable_id"), pairs)
    found = {pair for pair, confidence in _scores(tmp_path).items() if confidence >= 50}
    assert found == {(str(at), str(at)) for at in range(len(rows))}


def test_one_table_twice_is_one_catalogue(folder: Path) -> None:
    (folder / "tableB.csv").write_bytes((folder / "tableA.csv").read_bytes())
    tables = read_tables(folder)
    assert tables.left == tables.right
    assert {offer.retailer for offer in tables.offers} == {""}
    assert _scores(folder)["0", "1"] < 50


def test_one_retailers_offers_match_on_strong_evidence_alone(folder: Path) -> None:
    names = ["Munchee Cracker 45g", "Cracker MUNCHEE 0.045 kg", "Munchee Thin Cracker 45g"]
    names += [f"{brand} {kind} {size}" for brand, kind, size in ITEMS]
    rows = [
        (at, name, "", "", "", "", 10, "LKR", "keells" if at < 3 else "cargills", "")
        for at, name in enumerate(names)
    ]
    for table in ("tableA.csv", "tableB.csv"):
        _write(folder / table, COLUMNS, rows)
    pairs = [(a, b) for a in range(len(names)) for b in range(a)]
    _write(folder / "test.csv", ("ltable_id", "rtable_id"), pairs)
    scores, accepted = _scores(folder), _scores(folder, "--all")
    assert scores["1", "0"] >= STRONG
    assert scores["2", "0"] < 50
    assert ("0", "1") in accepted
    assert not {("0", "2"), ("1", "2")} & accepted.keys()


def test_labels_of_what_is_in_no_table_are_passed_over(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [(0, 0, 1), (99, 0, 1), (1, 0, 0), (0, 99, 0)]
    _write(folder / "train.csv", ("ltable_id", "rtable_id", "label"), rows)
    taught = _scores(folder, "--labels", str(folder / "train.csv"))
    assert capsys.readouterr().err.splitlines() == [
        "match_pairs: train.csv, line 3: tableA has no '99'; passed over, and 1 more",
        "match_pairs: 2 of the 144 pairs are decided by train.csv",
    ]
    _write(folder / "train.csv", ("ltable_id", "rtable_id", "label"), [rows[0], rows[2]])
    assert taught == _scores(folder, "--labels", str(folder / "train.csv"))


def test_asked_pairs_are_written_as_they_were_asked_for(folder: Path) -> None:
    (folder / "test.csv").write_text('ltable_id,rtable_id\n" 3",3 \n3,3\n', encoding="utf-8")
    scores = _scores(folder)
    assert list(scores) == [(" 3", "3 "), ("3", "3")]
    assert len(set(scores.values())) == 1


def _refused(folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    assert main([str(folder), *options, "--out", str(folder / "scores.csv")]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert not (folder / "scores.csv").exists()
    (line,) = told.err.splitlines()
    return line.removeprefix("match_pairs: ")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("test.csv", b"ltable_id,rtable_id\n0,0\n0,77\n", "test.csv, line 3: tableB has no '77'"),
        ("test.csv", b"left,right\n0,0\n", "test.csv, line 1: no column ltable_id"),
        ("tableA.csv", b"id,name\n1,\xe9clair\n", "tableA.csv, line 2: not UTF-8"),
        ("tableA.csv", b"id,brand\n1,x\n", "tableA.csv, line 1: no column holds the name"),
        ("tableA.csv", b"", "tableA.csv, line 1: no column holds the id"),
        ("tableA.csv", b"id,name\n,x\n", "tableA.csv, line 2: no id"),
        (
            "tableB.csv",
            b'id,name\n1,"two\nlines"\n1,x\n',
            "tableB.csv, line 4: another offer has the id '1' already",
        ),
        (
            "train.csv",
            b"ltable_id,rtable_id,label\n0,0,yes\n",
            "train.csv, line 2: the label is neither 1 nor 0: 'yes'",
        ),
    ],
)
def test_what_cannot_be_read_is_named_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes, told: str
) -> None:
    (folder / name).write_bytes(content)
    labels = ("--labels", str(folder / name)) if name == "train.csv" else ()
    assert _refused(folder, capsys, *labels) == told


def test_a_file_that_is_not_there_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "test.csv").unlink()
    assert _refused(folder, capsys) == "test.csv: No such file or directory"


@pytest.mark.parametrize("table", ["tableA.csv", "tableB.csv"])
def test_an_empty_table_matches_nothing(folder: Path, table: str) -> None:
    (folder / table).write_text("id,name\n", encoding="utf-8")
    (folder / "test.csv").write_text("ltable_id,rtable_id\n", encoding="utf-8")
    assert _scores(folder) == _scores(folder, "--all") == {}


def test_an_empty_catalogue_has_a_model() -> None:
    assert train([]).vocabulary.offers == 0
