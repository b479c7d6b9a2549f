"""What an upload is told where others hold the locks of its months."""

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
