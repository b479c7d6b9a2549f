"""How right the matcher is on labelled pairs of real offers: one configuration for all sets."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from shared.products.matching.logistic import probability
from shared.products.matching.model import MatchModel
from shared.products.matching.training import Training
from tests.benchmarks.figures import Figure
from tests.benchmarks.matching_end_to_end import end_to_end, true_pairs
from tests.datasets import data_dir
from tools.match_pairs import Tables, decisions_of, read_rows, read_tables

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# F1 that each set must reach without labels and with those of train.csv; None is not asked for.
MUSTS: Final[dict[str, tuple[float | None, float | None]]] = {
    "il-grocery": (50, 58),
    "lk-grocery": (None, None),
    "pricerunner": (65, 82),
    "abt-buy": (85, 91),
    "amazon-google": (63, 73),
    "walmart-amazon": (80, 83),
    "wdc-products": (38, 58),
}
MOST_WRONG: Final = {"lk-grocery": 10}
# Where nearly all that is called sure must be right, and much of what is right must be called sure.
SURE_SETS: Final = ("il-grocery", "pricerunner", "abt-buy")
_BINS: Final = 15
_SURE: Final = 0.9


class Outcome(msgspec.Struct, frozen=True):
    """Labels and probabilities of the pairs of one set."""

    same: "NDArray[np.bool_]"
    likely: "Floats"

    @property
    def f1(self) -> float:
        """F1 in percent, where a probability of a half means the same product."""
        said = self.likely >= 0.5
        return float(200 * (said & self.same).sum() / (said.sum() + self.same.sum()))

    @property
    def wrong(self) -> int:
        """How many verdicts are wrong."""
        return int(((self.likely >= 0.5) != self.same).sum())

    @property
    def calibration_error(self) -> float:
        """How far probabilities and shares of matches are apart, over bins of equal mass."""
        bins = np.array_split(np.argsort(self.likely, kind="stable"), _BINS)
        gaps = [abs(self.same[b].mean() - self.likely[b].mean()) * len(b) for b in bins if len(b)]
        return float(sum(gaps) / len(self.same))

    @property
    def sure(self) -> tuple[float, float]:
        """Precision at confidence 90 and above, and the share of matches there, in percent."""
        chosen = self.likely >= _SURE
        hits = float((chosen & self.same).sum())
        return 100 * hits / max(int(chosen.sum()), 1), 100 * hits / int(self.same.sum())


def measure() -> Iterator[Figure]:
    """The figures of every set that is there."""
    for name, (alone, taught) in MUSTS.items():
        folder = data_dir()
        path = folder / "matching" / name if folder else None
        if path is None or not (path / "valid.csv").exists():
            yield Figure(f"matching {name}", None, "", note="no such data: set SHOPPLE_DATA")
            continue
        yield from _of_set(name, path, alone, taught)


def _of_set(name: str, folder: Path, alone: float | None, taught: float | None) -> Iterator[Figure]:
    started = time.perf_counter()
    tables = read_tables(folder)
    training = Training(tables.offers)
    model = training.unsupervised()
    seconds = time.perf_counter() - started
    outcome = outcome_of(training, model, tables, folder)
    yield Figure(f"{name}: trained in", seconds, "s", note=f"{len(tables.offers):,} offers")
    yield from _figures(f"{name}, no labels", outcome, alone, MOST_WRONG.get(name))
    yield from end_to_end(name, training.scoring(model), tables, true_pairs(tables, folder))
    if (folder / "train.csv").exists():
        rows = list(read_rows(folder / "train.csv"))
        refined = training.refined(model, decisions_of(tables, rows))
        outcome = outcome_of(training, refined, tables, folder)
        yield from _figures(f"{name}, train.csv", outcome, taught, None)


def outcome_of(training: Training, model: MatchModel, tables: Tables, folder: Path) -> Outcome:
    """What a model says of the labelled pairs of valid.csv."""
    rows = list(read_rows(folder / "valid.csv"))
    log_odds = training.scoring(model).log_odds(*tables.places(rows))
    return Outcome(np.array([row["label"] == "1" for row in rows]), probability(log_odds))


def _figures(
    name: str, outcome: Outcome, least: float | None, most_wrong: int | None
) -> Iterator[Figure]:
    yield Figure(f"{name}: F1", outcome.f1, "%", f">= {least}" if least else "")
    aim = f"<= {most_wrong}" if most_wrong else ""
    yield Figure(f"{name}: wrong", outcome.wrong, "verdicts", aim, f"of {len(outcome.same)}")
    yield Figure(f"{name}: calibration error", outcome.calibration_error, "", "<= 0.05")
    gated = name.startswith(SURE_SETS)
    precision, share = outcome.sure
    yield Figure(f"{name}: right at 90", precision, "%", ">= 98" if gated else "")
    yield Figure(f"{name}: matches at 90", share, "%", ">= 40" if gated else "")
