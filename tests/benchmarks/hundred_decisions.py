"""Whether a hundred decisions ever make the matcher worse.

`python -m tests.benchmarks.hundred_decisions [SEEDS] [SET...]` draws decisions from train.csv as
reviewers would meet them and prints how each draw moves F1 on valid.csv. Some twenty
minutes on two cores. A set that is not there is left out.
"""

import random
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from shared.products.matching.training import Decision, Training
from tests.datasets import data_dir
from tools.match_pairs import decisions_of, read_rows, read_tables

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

SETS: Final = ("abt-buy", "amazon-google", "wdc-products", "pricerunner", "il-grocery")
DECISIONS: Final = 100
WAYS: Final = (
    *("any", "any confirmed", "any refused"),
    *("listed", "listed, confirmed", "listed, refused", "the surest", "the least sure"),
)
# The surest and the least sure of the pairs that the product lists: so many to draw from.
_NEAR: Final = 300


def draws(
    log_odds: "Floats", same: "Flags", seed: int, ways: Sequence[str] = WAYS
) -> Iterator[tuple[str, list[int]]]:
    """A hundred places among labelled pairs for each way in which people come to decide."""
    order = np.argsort(-log_odds, kind="stable")
    listed = order[log_odds[order] >= 0]
    pools = (
        *(order, order[same[order]], order[~same[order]]),
        *(listed, listed[same[listed]], listed[~same[listed]]),
        *(listed[:_NEAR], listed[-_NEAR:]),
    )
    for way, places in zip(WAYS, pools, strict=True):
        if way in ways:
            chance = random.Random(f"{way} {seed}")  # noqa: S311 - repeatable, no secret
            yield way, chance.sample(places.tolist(), min(DECISIONS, len(places)))


def f1(log_odds: "Floats", same: "Flags") -> float:
    """F1 in percent, where log-odds from 0 on mean the same product."""
    said = log_odds >= 0
    return float(200 * (said & same).sum() / (said.sum() + same.sum()))


def of_set(
    name: str, seeds: Sequence[int], ways: Sequence[str] = WAYS
) -> Iterator[tuple[str, int, float, float]]:
    """Way, seed, F1 without decisions and how far the draw moves it."""
    folder = data_dir()
    if folder is None or not (folder / "matching" / name / "train.csv").exists():
        return
    tables = read_tables(folder / "matching" / name)
    rows, asked = (
        list(read_rows(folder / "matching" / name / each)) for each in ("train.csv", "valid.csv")
    )
    training, decisions = Training(tables.offers), decisions_of(tables, rows)
    model = training.unsupervised()
    scoring = training.scoring(model)
    places = tables.places(asked)
    true = np.array([row["label"] == "1" for row in asked])
    same = np.array([decided for _, _, decided in decisions])
    alone = f1(scoring.log_odds(*places), true)
    log_odds = scoring.log_odds(*tables.places(rows))
    for seed in seeds:
        for way, chosen in draws(log_odds, same, seed, ways):
            some: list[Decision] = [decisions[at] for at in chosen]
            taught = training.scoring(training.refined(model, some)).log_odds(*places)
            yield way, seed, alone, f1(taught, true) - alone


def main(arguments: Sequence[str]) -> int:
    """Prints a line for each draw."""
    seeds = range(int(arguments[0]) if arguments else 2)
    for name in arguments[1:] or SETS:
        for way, seed, alone, moved in of_set(name, seeds):
            line = f"{name}; {way}; draw {seed}: F1 {alone:.1f} moves by {moved:+.2f}"
            print(line, flush=True)  # noqa: T201 - what it is run for
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
