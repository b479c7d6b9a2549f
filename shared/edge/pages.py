"""Pages of a sorted list: as many reads as rows, however long the list is.

Rows that are equal in what a list is sorted by follow each other by their ids, so that a page may
end between two of them. An empty cursor stands for none.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple, Protocol

import msgspec
from msgspec import Meta

from shared.clients import firestore
from shared.clock import epoch_micros, from_epoch_micros
from shared.edge.cursors import read_cursor, write_cursor

if TYPE_CHECKING:
    from google.cloud.firestore import CollectionReference, DocumentSnapshot, Query

    Listed = Query | CollectionReference

TOTAL_STOPS_AT: Final = 1000

PageSize = Annotated[int, Meta(ge=1, le=100)]
Cursor = Annotated[str, Meta(max_length=1000)]
Direction = Literal["ASCENDING", "DESCENDING"]


class Wanted(Protocol):
    """The query of a request for a page: every other field of it narrows or sorts the list."""

    limit: int
    cursor: str | None


class Page(NamedTuple):
    """The rows, and the cursor after the last of them where others may follow."""

    rows: "list[DocumentSnapshot[Any]]"
    next_cursor: str | None


class Order:
    """How a list is sorted, and what its cursors are bound to: that, its name and its filters."""

    def __init__(
        self,
        fields: tuple[str, ...],
        wanted: Wanted,
        name: str,
        direction: Direction = "DESCENDING",
    ) -> None:
        self._fields, self._direction, self._cursor = fields, direction, wanted.cursor
        filters = msgspec.to_builtins(wanted) | {"limit": None, "cursor": None}
        self._bound_to = msgspec.json.encode([name, fields, filters]).decode()

    def rest(self, query: "Listed") -> "Query":
        """The sorted query from the wanted cursor on; raises BadRequest for a foreign one."""
        ordered = in_order(query, self._fields, self._direction)
        if not self._cursor:
            return ordered
        position = map(_value, read_cursor(self._cursor, self._bound_to))
        names = (*self._fields, "__name__")
        return ordered.start_after(dict(zip(names, position, strict=True)))

    def cursor_after(self, row: "DocumentSnapshot[Any]") -> str:
        """The cursor for what follows the row."""
        values = [_plain(row.get(name)) for name in self._fields]
        return write_cursor([*values, row.id], self._bound_to)

    def page(self, query: "Listed", limit: int) -> Page:
        """The next rows of the list; raises BadRequest for a foreign cursor."""
        with firestore.errors_mapped():
            rows = list(self.rest(query).limit(limit).stream(**firestore.limits()))
        return Page(rows, self.cursor_after(rows[-1]) if len(rows) == limit else None)


def narrowed(query: "Listed", wanted: object, names: Iterable[str]) -> "Listed":
    """The query for what fits each of the named filters that is given."""
    from google.cloud.firestore import FieldFilter

    for name in names:
        if (value := getattr(wanted, name)) is not None:
            query = query.where(filter=FieldFilter(name, "==", value))
    return query


def counted(query: "Listed") -> tuple[int, bool]:
    """How many fit, and whether that is a minimum: of a long list no more than so many count."""
    with firestore.errors_mapped():
        total = firestore.count(query.limit(TOTAL_STOPS_AT))
    return total, total >= TOTAL_STOPS_AT


def in_order(
    query: "Listed",
    fields: tuple[str, ...],
    direction: Direction = "DESCENDING",
) -> "Query":
    """The query sorted by the fields, and by the id where they are equal."""
    for name in fields:
        query = query.order_by(name, direction=direction)
    return query.order_by("__name__", direction=direction)


def newest_first(query: "Listed", moment: str, wanted: Wanted, name: str) -> Page:
    """One page of the query by its field `moment`; raises BadRequest for a foreign cursor."""
    return Order((moment,), wanted, name).page(query, wanted.limit)


def _plain(value: Any) -> Any:
    return {"micros": epoch_micros(value)} if hasattr(value, "timestamp") else value


def _value(plain: Any) -> Any:
    return from_epoch_micros(plain["micros"]) if isinstance(plain, dict) else plain
