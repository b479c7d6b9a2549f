"""Where a page by number begins among the marks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
