"""Which queries production would refuse: each shape against firestore.indexes.json.

Firestore's rules, as its documentation has them: equality filters alone join the automatic
indexes of their fields; a sort or an inequality together with any other field needs composite
indexes, of which several join if they end in the same order; all else needs an index of its own.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

NAME: Final = "__name__"
ASCENDING: Final = "ASCENDING"
CONTAINS: Final = "CONTAINS"

Order = tuple[str, str]


class Shape(NamedTuple):
    """What of a query decides which index serves it."""

    collection: str
    equal: frozenset[str] = frozenset()
    contains: frozenset[str] = frozenset()
    unequal: frozenset[str] = frozenset()
    orders: tuple[Order, ...] = ()


class Indexes(NamedTuple):
    """The composite indexes of each collection, and the fields without automatic ones."""

    composite: Mapping[str, list[tuple[Order, ...]]]
    exempt: frozenset[tuple[str, str]]


def read_shapes(file: Path) -> set[Shape]:
    """The shapes that a run recorded, one JSON object a line."""
    return {_shape(json.loads(line)) for line in file.read_text().splitlines()}


def read_indexes(file: Path) -> Indexes:
    """What a firestore.indexes.json declares."""
    declared = json.loads(file.read_text())
    composite: dict[str, list[tuple[Order, ...]]] = {}
    for index in declared["indexes"]:
        modes = tuple((f["fieldPath"], f.get("order") or CONTAINS) for f in index["fields"])
        composite.setdefault(index["collectionGroup"], []).append(modes)
    exempt = frozenset(
        (field["collectionGroup"], field["fieldPath"])
        for field in declared.get("fieldOverrides", [])
        if not field["indexes"]
    )
    return Indexes(composite, exempt)


def unserved(shapes: Iterable[Shape], indexes: Indexes) -> list[Shape]:
    """The shapes that production would refuse."""
    return sorted((s for s in shapes if not is_served(s, indexes)), key=str)


def is_served(shape: Shape, indexes: Indexes) -> bool:
    """Whether the automatic and the declared indexes can answer a query of this shape."""
    suffix = _suffix(shape)
    filters = {(field, ASCENDING) for field in shape.equal}
    filters |= {(field, CONTAINS) for field in shape.contains}
    if _by_automatic(shape, filters, suffix, indexes.exempt):
        return True
    covered: set[Order] = set()
    for index in indexes.composite.get(shape.collection, []):
        # An index ends with the name in its last field's direction, without being told.
        ends = suffix if suffix[-1:] != _implied(suffix[:-1]) else suffix[:-1]
        split = len(index) - len(ends)
        prefix = {(field, ASCENDING if m != CONTAINS else m) for field, m in index[:split]}
        if index[split:] == ends and prefix <= filters:
            covered |= prefix
    return bool(filters) and covered == filters


def _by_automatic(
    shape: Shape, filters: set[Order], suffix: tuple[Order, ...], exempt: frozenset[tuple[str, str]]
) -> bool:
    used = {field for field, _ in (*filters, *suffix)} - {NAME}
    if any((shape.collection, field) in exempt for field in used):
        return False
    if not used:
        return suffix in ((), ((NAME, ASCENDING),))
    if len(used) == 1:
        return len(suffix) < 2 or suffix[1:] == _implied(suffix[:1])  # noqa: PLR2004
    return not shape.contains and suffix in ((), ((NAME, ASCENDING),))


def _suffix(shape: Shape) -> tuple[Order, ...]:
    """The order that the index must have after what is filtered for equality."""
    orders = [order for order in shape.orders if order[0] not in shape.equal]
    ordered = {field for field, _ in orders}
    direction = orders[-1][1] if orders else ASCENDING
    implied = [(f, direction) for f in sorted(shape.unequal - ordered - {NAME})]
    if orders and orders[-1][0] == NAME:
        return (*orders[:-1], *implied, orders[-1])
    return (*orders, *implied)


def _implied(orders: tuple[Order, ...]) -> tuple[Order, ...]:
    return ((NAME, orders[-1][1] if orders else ASCENDING),)


def _shape(record: Mapping[str, Any]) -> Shape:
    return Shape(
        record["collection"],
        frozenset(record["equal"]),
        frozenset(record["contains"]),
        frozenset(record["unequal"]),
        tuple((field, direction) for field, direction in record["orders"]),
    )
