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
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["ltable_id", "rtable_id", "confidence"]
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
    rows = [(a, a, 0) for a in range(len(ITEMS))] + [(a, a ^ 1, 1) for a in range(len(ITEMS))]
    _write(folder / "train.csv", ("ltable_id", "rtable_id", "label"), rows)
    taught = _scores(folder, "--labels", str(folder / "train.csv"))
    assert taught["0", "0"] < _scores(folder)["0", "0"]


def test_all_writes_what_matches(folder: Path) -> None:
    assert set(_scores(folder, "--all")) == {(str(at), str(at)) for at in range(len(ITEMS))}


def test_two_tables_without_retailers_are_two_sources(folder: Path) -> None:
    tables = read_tables(folder)
    assert {offer.retailer for offer in tables.offers} == {"A", "B"}


def test_columns_may_have_other_names_and_say_nothing_in_words(tmp_path: Path) -> None:
    first = ("id", "Title", "category", "brand", "modelno", "price")
    _write(
        tmp_path / "tableA.csv",
        first,
        [
            (1, 'Sony 19" Turntable, black', "stereos", "sony", "PS-LX 350H", "$1,299.90"),
            (2, "Belkin Cable", "NaN", "nan", "None", "nan"),
            (3, "Bose Speaker", "", "", "", "N/A"),
        ],
    )
    second = (
        "\ufeffid,name,manufacturer,mpn,sku,list_price\n"
        '1,"Sony, ""belt drive""",Sony,,PSLX350H,USD 12.5\n'
        "2,Belkin,Belkin Components,x,,-5\n3,Bose\n"
    )
    (tmp_path / "tableB.csv").write_text(second, encoding="utf-8")
    tables = read_tables(tmp_path)
    said = [(o.name, o.category, o.brand, o.model, o.price_minor) for o in tables.offers]
    assert said == [
        ('Sony 19" Turntable, black', "stereos", "sony", "PSLX350H", 129990),
        ("Belkin Cable", "", "", "", 0),
        ("Bose Speaker", "", "", "", 0),
        ('Sony, "belt drive"', "", "Sony", "PSLX350H", 1250),
        ("Belkin", "", "Belkin Components", "x", 0),
        ("Bose", "", "", "", 0),
    ]
    assert {offer.retailer for offer in tables.offers} == {"A", "B"}


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


def test_an_empty_catalogue_has_a_model() -> None:
    assert train([]).vocabulary.offers == 0
