"""The checker that stands in for production's refusal of a query without its index."""

import json
from pathlib import Path

import pytest

from local.meter import Shape as Recorded
from tools.index_check import Shape, is_served, read_indexes, read_shapes, unserved

ASC, DESC = "ASCENDING", "DESCENDING"
INDEXES = {
    "indexes": [
        {
            "collectionGroup": "shop",
            "queryScope": "COLLECTION",
            "fields": [
                {"fieldPath": "a", "order": ASC},
                {"fieldPath": "t", "order": DESC},
            ],
        },
        {
            "collectionGroup": "shop",
            "queryScope": "COLLECTION",
            "fields": [
                {"fieldPath": "b", "order": ASC},
                {"fieldPath": "t", "order": DESC},
            ],
        },
        {
            "collectionGroup": "shop",
            "queryScope": "COLLECTION",
            "fields": [
                {"fieldPath": "a", "order": ASC},
                {"fieldPath": "words", "arrayConfig": "CONTAINS"},
            ],
        },
    ],
    "fieldOverrides": [{"collectionGroup": "shop", "fieldPath": "long", "indexes": []}],
}


def shape(
    equal: str = "",
    contains: str = "",
    unequal: str = "",
    orders: tuple[tuple[str, str], ...] = (),
    collection: str = "shop",
) -> Shape:
    equals, containing, unequals = (frozenset(e.split()) for e in (equal, contains, unequal))
    return Shape(collection, equals, containing, unequals, orders)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "firestore.indexes.json"
    path.write_text(json.dumps(INDEXES))
    return path


NAME_DOWN = ("__name__", DESC)


@pytest.mark.parametrize(
    "served",
    [
        shape(),
        shape(orders=(("__name__", ASC),)),
        shape("x"),
        shape("x y z"),
        shape("x y", orders=(("__name__", ASC),)),
        shape(contains="words"),
        shape(orders=(("t", DESC),)),
        shape(orders=(("t", DESC), NAME_DOWN)),
        shape(unequal="t"),
        shape(unequal="t", orders=(("t", ASC),)),
        shape("a", orders=(("t", DESC), NAME_DOWN)),
        # Two indexes that end in the same order are joined.
        shape("a b", orders=(("t", DESC),)),
        shape("a", unequal="t", orders=(("t", DESC),)),
        shape("a", "words"),
        # A field that is filtered for equality needs no sorting.
        shape("a", orders=(("a", ASC),)),
    ],
)
def test_production_would_answer(file: Path, served: Shape) -> None:
    assert is_served(served, read_indexes(file))


@pytest.mark.parametrize(
    "refused",
    [
        shape("a", orders=(("t", ASC),)),
        shape("c", orders=(("t", DESC),)),
        shape("a c", orders=(("t", DESC),)),
        shape("a", unequal="t"),
        shape("a", orders=(("t", DESC), ("__name__", ASC))),
        shape("a", "words", orders=(("t", DESC),)),
        shape("b", "words"),
        shape(orders=(("t", DESC), ("u", DESC))),
        shape(unequal="t u"),
        shape(orders=(NAME_DOWN,)),
        shape("long"),
        shape("a long"),
        shape("a", orders=(("t", DESC),), collection="other"),
    ],
)
def test_production_would_refuse(file: Path, refused: Shape) -> None:
    assert unserved([refused, shape("a")], read_indexes(file)) == [refused]


def test_shapes_are_read_as_they_were_recorded(tmp_path: Path) -> None:
    recorded = Recorded("shop", ("a", "b"), ("words",), (), (("t", DESC),))
    file = tmp_path / "shapes.ndjson"
    file.write_text(2 * (json.dumps(recorded._asdict()) + "\n"))
    assert read_shapes(file) == {shape("a b", "words", orders=(("t", DESC),))}
