"""What training reads of the catalogue."""

import itertools

import pytest

from shared.clients import firestore
from shared.products import retraining
from shared.products.matching import Offer


class Read:
    """A catalogue of so many listed offers, and how many of them were read."""

    def __init__(self, listed: int) -> None:
        self.listed, self.offers, self.counted = listed, 0, 0
        self._fresh = itertools.count()

    def count(self, _: object, __: float | None = None) -> int:
        self.counted += 1
        return self.listed

    def run(self, _: str | None, most: int) -> dict[str, Offer]:
        some = range(min(most, self.listed))
        self.offers += len(some)
        ids = [f"p{next(self._fresh)}" for _ in some]
        return {each: Offer(each, "keells", "tea", "", "", "", 1, "LKR") for each in ids}


class Query:
    """A query that is only counted, up to a limit."""

    def limit(self, most: int) -> "Query":
        assert most == 2_001
        return self


@pytest.mark.parametrize("listed", [0, 600, 2_000, 2_001, 90_000])
def test_no_more_is_read_than_is_learned_from(monkeypatch: pytest.MonkeyPatch, listed: int) -> None:
    read = Read(listed)
    monkeypatch.setattr(firestore, "count", read.count)
    monkeypatch.setattr(retraining, "_listed", Query)
    monkeypatch.setattr(retraining, "_run", read.run)
    monkeypatch.setattr(retraining, "_anywhere", lambda: "tea")
    offers = retraining._sample(2_000)
    assert read.counted == 1
    assert len(offers) == read.offers == min(listed, 2_000)
