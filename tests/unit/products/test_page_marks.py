"""Where a page by number begins among the marks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clients import firestore
from shared.products import page_marks
from shared.products.page_marks import Marks


def marks(*rows: int) -> Marks:
    return Marks(list(range(len(rows))), [f"p{run}" for run in range(len(rows))], list(rows))


@pytest.mark.parametrize(
    ("skip", "place"),
    [
        (0, (None, 0)),
        (9, (None, 9)),
        # The newest run, of ten rows, is passed: its mark is the row to start below.
        (10, (2, 0)),
        (25, (2, 15)),
        (30, (1, 0)),
        (59, (1, 29)),
        # Beyond the end, the offset leads past the oldest run.
        (70, (1, 40)),
    ],
)
def test_a_row_is_found_below_the_mark_above_it(skip: int, place: tuple[int | None, int]) -> None:
    assert marks(30, 20, 10).locate(skip) == place


def test_without_marks_all_is_skipped() -> None:
    assert Marks().locate(500) == (None, 500)


@given(st.lists(st.integers(1, 120), min_size=1, max_size=50), st.integers(0, 10_000))
def test_no_row_is_skipped_or_seen_twice(rows: list[int], skip: int) -> None:
    below, offset = marks(*rows).locate(skip)
    passed = 0 if below is None else sum(rows[below:])
    assert passed + offset == skip
    if skip < sum(rows):
        assert offset < max(rows)


TRUTH = [80, 79, 80, 81, 80]


class Stored:
    """The document of the marks, and counts that say the truth."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rows = [80] * len(TRUTH)
        monkeypatch.setattr(page_marks, "read", lambda: marks(*self.rows))
        monkeypatch.setattr(page_marks, "_document", lambda: self)
        monkeypatch.setattr(firestore, "limits", dict)
        monkeypatch.setattr(page_marks, "_count", lambda _, first, end: sum(TRUTH[first:end]))

    def set(self, fields: dict[str, list[int]], **_: object) -> None:
        self.rows = fields["rows"]


def test_changes_that_make_up_for_each_other_are_found_where_everything_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stored = Stored(monkeypatch)
    page_marks.refresh(sum(TRUTH))
    assert stored.rows == [80] * len(TRUTH)
    page_marks.refresh(sum(TRUTH), everything=True)
    assert stored.rows == TRUTH
