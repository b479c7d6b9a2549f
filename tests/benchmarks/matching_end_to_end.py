"""How many true matches are found where nobody names the pairs: complete tables, all labels."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from shared.products.matching import LearnedMatcher
from shared.products.matching.scoring import Scoring
from tests.benchmarks.figures import Figure
from tests.benchmarks.matching_lists import follow
from tools.match_pairs import SAME_FROM, Tables, read_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Places = NDArray[np.intp]

_LABELS: Final = ("train.csv", "valid.csv", "test.csv")
_THROUGH_LISTS: Final = 300

Pair = tuple[int, int]


def true_pairs(tables: Tables, folder: Path) -> list[Pair]:
    """The matches of all label files, the earlier offer first; a file without labels has none."""
    rows = [
        row
        for path in map(folder.joinpath, _LABELS)
        if path.exists()
        for row in read_rows(path)
        if row.get("label") == "1"
    ]
    return sorted(_set(*tables.places(rows)))


def end_to_end(
    name: str, scoring: Scoring, tables: Tables, matches: list[Pair]
) -> Iterator[Figure]:
    """Shares of the matches among candidates and accepted pairs, of `--all` and of the product."""
    candidates = _set(*scoring.candidates)
    sure = scoring.log_odds_of_candidates >= 0
    accepted = _set(*(side[sure] for side in scoring.candidates))
    count, among = len(matches), candidates.intersection(matches)
    asked = scoring.log_odds(*np.array(matches, np.intp).T) >= 0
    lost = sum(1 for pair, same in zip(matches, asked, strict=True) if same and pair not in among)
    note = f"of {count}; {asked.sum()} are accepted when asked for, {lost} of them no candidates"
    yield Figure(f"matching.{name}_candidates_recall", len(among) / count, "")
    found = len(accepted.intersection(matches))
    yield Figure(f"matching.{name}_all_recall", found / count, "", note=note)
    later_first = [(b, a) for a, b in matches[:: 1 + len(matches) // _THROUGH_LISTS]]
    followed = follow(tables.offers, later_first, LearnedMatcher(scoring.model), SAME_FROM)
    note = f"of {len(later_first)}, as the later offer's task looks for them"
    yield Figure(f"matching.{name}_lists_recall", followed.met, "", note=note)
    yield Figure(f"matching.{name}_found_recall", followed.found, "", note=note)


def _set(left: "Places", right: "Places") -> set[Pair]:
    pairs = zip(left.tolist(), right.tolist(), strict=True)
    return {(min(pair), max(pair)) for pair in pairs}
