"""Marks in the default list, so that a page by number costs the same at any depth.

Firestore bills every row that an offset skips. So one document remembers, for each run of about
80 listed products from the oldest to the newest, where the run begins and how many rows it has;
page 900 starts at a mark and skips less than one run. The statistics task keeps it true with
`count()`: new rows fall into the last run, and where the total does not add up, the runs that
changed are found by halving. Two changes that make up for each other are not found so; the
recount of everything counts each run. One document holds marks for about 200,000 products;
beyond that the runs grow longer.
"""

import copy
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.clock import epoch_micros, from_epoch_micros

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference, Query

RUN_ROWS: Final = 80
LONGEST_RUN_ROWS: Final = 120
MAX_MARKS: Final = 2500
PARALLEL_COUNTS: Final = 8


class Marks(msgspec.Struct):
    """The runs from oldest to newest: where each begins (microseconds and id) and its rows."""

    micros: list[int] = msgspec.field(default_factory=list)
    ids: list[str] = msgspec.field(default_factory=list)
    rows: list[int] = msgspec.field(default_factory=list)

    def locate(self, skip: int) -> tuple[int | None, int]:
        """Where row `skip` from the newest is: the mark to start below (None: top), and an offset.

        Beyond the last known row the offset leads past the end of the oldest run.
        """
        below = None
        for run in range(len(self.rows) - 1, -1, -1):
            if skip < self.rows[run] or run == 0:
                return below, skip
            skip -= self.rows[run]
            below = run
        return None, skip

    def position(self, mark: int) -> dict[str, Any]:
        """The mark as a cursor of the default list."""
        reference = firestore.client().collection("products").document(self.ids[mark])
        return {"created_at": from_epoch_micros(self.micros[mark]), "__name__": reference}


def read() -> Marks:
    """The marks as last kept: one document read."""
    with firestore.errors_mapped():
        fields = _document().get(**firestore.limits()).to_dict()
    return Marks(**fields) if fields else Marks()


def refresh(total: int, *, everything: bool = False) -> None:
    """Makes the marks add up to `total` listed products, or counts `everything` anew."""
    marks = read()
    before = copy.deepcopy(marks)
    if everything:
        _count_each(marks)
    elif marks.rows:
        marks.rows[-1] = _count(marks, len(marks.rows) - 1, len(marks.rows))
        if sum(marks.rows) != total:
            closed = len(marks.rows) - 1
            _recount(marks, 0, closed, _count(marks, 0, closed) if closed else 0)
    _split(marks)
    if marks != before:
        with firestore.errors_mapped():
            _document().set(msgspec.structs.asdict(marks), **firestore.limits())


def _count_each(marks: Marks) -> None:
    runs = range(len(marks.rows))
    with ThreadPoolExecutor(PARALLEL_COUNTS) as pool:
        marks.rows = list(pool.map(lambda run: _count(marks, run, run + 1), runs))


def _recount(marks: Marks, first: int, end: int, actual: int) -> None:
    """Corrects the runs from `first` to before `end`, which hold `actual` rows in all."""
    if sum(marks.rows[first:end]) == actual:
        return
    if end - first == 1:
        marks.rows[first] = actual
        return
    middle = (first + end) // 2
    left = _count(marks, first, middle)
    _recount(marks, first, middle, left)
    _recount(marks, middle, end, actual - left)


def _split(marks: Marks) -> None:
    """Cuts runs that have grown too long, and drops those that are empty."""
    if not marks.rows:
        marks.micros, marks.ids, marks.rows = [0], ["-"], [LONGEST_RUN_ROWS + 1]
    fresh = Marks()
    run_rows = max(RUN_ROWS, sum(marks.rows) // MAX_MARKS)
    longest = run_rows * LONGEST_RUN_ROWS // RUN_ROWS
    for run, rows in enumerate(marks.rows):
        if rows <= longest:
            _append(fresh, marks.micros[run], marks.ids[run], rows)
            continue
        found = list(_rows(marks, run))
        for at in range(0, len(found), run_rows):
            _append(fresh, *found[at], len(found[at : at + run_rows]))
    marks.micros, marks.ids, marks.rows = fresh.micros, fresh.ids, fresh.rows


def _append(marks: Marks, micros: int, product_id: str, rows: int) -> None:
    if rows or not marks.rows:
        marks.micros.append(micros)
        marks.ids.append(product_id)
        marks.rows.append(rows)


def _rows(marks: Marks, run: int) -> Iterator[tuple[int, str]]:
    query = _range(marks, run, run + 1).select(["created_at"])
    with firestore.errors_mapped():
        for snapshot in query.stream(**firestore.limits(firestore.LONG_TIMEOUT_SECONDS)):
            yield epoch_micros(snapshot.get("created_at")), snapshot.id


def _count(marks: Marks, first: int, end: int) -> int:
    with firestore.errors_mapped():
        return firestore.count(_range(marks, first, end), firestore.LONG_TIMEOUT_SECONDS)


def _range(marks: Marks, first: int, end: int) -> "Query":
    """The listed products of some runs; the oldest run begins before all, the newest never ends."""
    from google.cloud.firestore import FieldFilter

    listed = (
        firestore.client().collection("products").where(filter=FieldFilter("listed", "==", True))
    )
    query = listed.order_by("created_at").order_by("__name__")
    if first > 0:
        query = query.start_at(marks.position(first))
    if end < len(marks.rows):
        query = query.end_before(marks.position(end))
    return query


def _document() -> "DocumentReference":
    return firestore.client().collection("statistics").document("product_pages")
