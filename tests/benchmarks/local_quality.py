"""How right `local` is on real catalogues: `python -m tests.benchmarks local`.

One configuration for all catalogues; each figure is the mean of five splits.
"""

import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Final

from tests.benchmarks.figures import Figure
from tests.benchmarks.matching_speed import HERE, PEERS
from tests.datasets import data_dir
from tests.memory import peak_mb
from tools.classify_local import Outcome, Split, answers, drawn, outcome, read

CATALOGUES: Final = {
    "cargills": "catalogues/sri-lanka/cargills_products.csv",
    "sainsburys": "catalogues/uk/sainsburys.csv",
}
# Of a larger catalogue the first by lot, so that a run takes minutes.
MOST_PRODUCTS: Final = 5000
SPLITS: Final = range(5)
# How far ahead of a LinearSVC it must be, by labels.
AHEAD: Final = {200: ">= 1.5", 2000: ">= 0"}
_WITHOUT_LABELS: Final = {"names": ">= 33", "synonyms": ">= 50"}
_CALIBRATED: Final = "<= 0.05"
_PEER_SECONDS: Final = 1800


def measure() -> Iterator[Figure]:
    """Accuracy without labels, distance to the peer with them, calibration, time and memory."""
    data = data_dir()
    for name, file in CATALOGUES.items():
        path = data / file if data else None
        if path is None or not path.exists():
            yield Figure(f"local.{name}", None, "", note=f"no data: {file}")
            continue
        products = drawn(read(path, "Product Name", "Category"), 0, -1).asked[:MOST_PRODUCTS]
        splits = {labels: [drawn(products, labels, each) for each in SPLITS] for labels in AHEAD}
        yield from _without_labels(name, [drawn(products, 0, 0)])
        for labels, some in splits.items():
            yield from _with_labels(f"local.{name}_{labels}_labels", some, AHEAD[labels])
    yield Figure("local.peak_memory", peak_mb(), "MB", "<= 1024", "of the bench's own process")


def _without_labels(name: str, splits: Sequence[Split]) -> Iterator[Figure]:
    """All products are asked for, so there is one split."""
    for knowledge, aim in _WITHOUT_LABELS.items():
        whole = f"local.{name}_{knowledge}"
        for seen, ending in ((True, ""), (False, "_unseen")):
            told, _ = _told(splits, with_synonyms=knowledge == "synonyms", seen=seen)
            asked = aim if name == "cargills" else ""
            yield Figure(f"{whole}{ending}", _mean(told, _accuracy), "%", asked)
            yield Figure(f"{whole}{ending}_error", _mean(told, _error), "", _CALIBRATED)


def _with_labels(name: str, splits: Sequence[Split], aim: str) -> Iterator[Figure]:
    told, cpu_ms = _told(splits)
    ours, peer = _mean(told, _accuracy), _peer(splits)
    yield Figure(name, ours, "%", note=f"{cpu_ms:.1f} ms a product")
    if peer is None:
        yield Figure(f"{name}_ahead", None, "points", note="no peers: make bench sets them up")
    else:
        yield Figure(f"{name}_ahead", ours - peer, "points", aim, f"LinearSVC {peer:.1f} %")
    yield Figure(f"{name}_error", _mean(told, _error), "", _CALIBRATED)


def _told(
    splits: Sequence[Split], *, with_synonyms: bool = True, seen: bool = True
) -> tuple[list[Outcome], float]:
    """The outcomes, and the CPU time of a product with its share of the learning."""
    began = time.process_time()
    found = [
        outcome(split, answers(split, with_synonyms=with_synonyms, seen=seen)) for split in splits
    ]
    asked = sum(len(split.asked) for split in splits)
    return found, 1000 * (time.process_time() - began) / asked


def _peer(splits: Sequence[Split]) -> float | None:
    if not PEERS.exists():
        return None
    tasks = [
        {
            "told": [(each.text, each.category) for each in split.told],
            "asked": [(each.text, each.category) for each in split.asked],
        }
        for split in splits
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tasks.json"
        path.write_text(json.dumps(tasks))
        ran = subprocess.run(  # noqa: S603 - our own code
            [str(PEERS), str(HERE / "linear_svc.py"), str(path)],
            stdout=subprocess.PIPE,
            timeout=_PEER_SECONDS,
            check=True,
        )
    return fmean(json.loads(ran.stdout))


def _mean(outcomes: Sequence[Outcome], of: Callable[[Outcome], float]) -> float:
    return fmean(map(of, outcomes))


def _accuracy(outcome: Outcome) -> float:
    return outcome.accuracy


def _error(outcome: Outcome) -> float:
    return outcome.calibration_error
