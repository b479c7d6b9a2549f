"""What a page of duplicates makes of groups that are large, or change while it reads them."""

from collections.abc import Iterable
from typing import Any
from unittest.mock import Mock

import pytest

from shared.products import catalogue, pairs
from shared.products.duplicate_groups import MAX_MEMBERS
from shared.products.duplicates import MOST_READS, RUN_PAIRS, _Looking


def test_a_group_whose_pairs_went_meanwhile_is_no_group() -> None:
    seed = Mock(id="a_b")
    assert _Looking(60, "open")._view(seed, {"a_b": [(90, "a", "b")]}, {}) is None


class Counting(_Looking):
    """Looks up states that are given, and products that are all gone."""

    def __init__(self, states: dict[str, Any]) -> None:
        super().__init__(60, "open")
        self.given = states

    def _read(self, references: Iterable[Any]) -> list[Any]:
        wanted = [str(each) for each in references]
        self.reads += len(wanted)
        return [Mock(id=each, to_dict=lambda each=each: self.given.get(each)) for each in wanted]


@pytest.mark.parametrize("spent", [0, MOST_READS - 1])
def test_a_run_of_large_groups_reads_no_more_than_a_page_may(
    spent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairs, "state", lambda product_id: product_id)
    monkeypatch.setattr(catalogue, "reference", lambda product_id: f"product-{product_id}")
    seeds = [f"s{number}" for number in range(RUN_PAIRS)]
    states = {
        seed: {"partners": {f"{seed}p{each}": 90 for each in range(MAX_MEMBERS)}} for seed in seeds
    }
    found = [Mock(id=f"{s}_{s}p0", get=lambda _, s=s: [s, f"{s}p0"]) for s in seeds]
    looking = Counting(states)
    looking.reads = spent
    done = looking.groups(found)
    assert [snapshot for snapshot, _ in done] == found[: len(done)]
    assert 1 <= len(done) < len(found)
    assert looking.reads <= MOST_READS + (0 if spent == 0 else 3 * MAX_MEMBERS)
