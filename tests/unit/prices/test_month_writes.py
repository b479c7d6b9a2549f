"""Which months are written together, and what is told where others hold their locks."""

import pytest

from shared.errors import Conflict, DependencyUnavailable
from shared.prices import month_writes
from shared.prices.judging import Candidate
from shared.prices.models import Point


def test_a_lock_that_others_hold_is_a_reason_to_send_the_same_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A real one is held for ten seconds of attempts before Firestore says no."""

    def refused(_chunk: month_writes.Months) -> None:
        raise Conflict("The document was changed meanwhile.")

    monkeypatch.setattr(month_writes, "_write_chunk", refused)
    point = Point(1, "keells", 100, "LKR", "api")
    candidate = Candidate(1, "p1", point, timed=True, confirmed=False, reference_minor=None)
    with pytest.raises(DependencyUnavailable, match="send the same again"):
        month_writes.write({("p1", "2026-03"): [candidate]})


def test_a_product_is_never_split() -> None:
    """Thirty products of seven months: a hundred is not a multiple of that."""
    keys = [(f"p{n}", f"2026-{month:02}") for n in range(30) for month in range(1, 8)]
    long = [("long", f"{year}-01") for year in range(1900, 2026)]
    chunks = list(month_writes.chunks_of({key: [] for key in [*keys, *long]}))
    assert sorted(key for chunk in chunks for key in chunk) == sorted([*keys, *long])
    products = [{pid for pid, _ in chunk} for chunk in chunks]
    assert sum(map(len, products)) == 31
    sizes = [len(chunk) for chunk in chunks if "long" not in {pid for pid, _ in chunk}]
    assert max(sizes) <= month_writes.CHUNK_MONTHS
    assert len(chunks) <= 5
