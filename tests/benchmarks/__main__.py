"""Measure the product: `python -m tests.benchmarks [PART]`, where some need a cloud.

Times are CPU times of the measured process, and ratios of what runs in turn, so that a machine
that does other work spoils them little.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator

from local.plan import ROOT
from tests.benchmarks import (
    classification,
    cold,
    cold_ai,
    crawl_speed,
    hundred_decisions,
    local_quality,
    matching_quality,
    matching_speed,
    reads,
    warm,
)
from tests.benchmarks.cloud import Cloud, running
from tests.benchmarks.figures import Figure, write

# Some of the sets, and one draw of each kind: `hundred_decisions` by itself has them all.
DECIDED_SETS = ("abt-buy", "amazon-google")
DRAW = 0


def after_decisions() -> Iterator[Figure]:
    """How far the first hundred decisions move F1 on valid.csv, at worst."""
    for name in DECIDED_SETS:
        drawn = [(way, moved) for way, _, _, moved in hundred_decisions.of_set(name, [DRAW])]
        for kind, least in (("confirmations", 0), ("decisions", -0.5)):
            of_kind = [(m, way) for way, m in drawn if kind == "decisions" or "confirmed" in way]
            worst, way = min(of_kind, default=(None, ""))
            note = f"{way!r}, the worst of {_measured_ways(of_kind)}"
            if worst is None:
                note = "no such data: set SHOPPLE_DATA"
            figure = f"matching.{name}_after_100_{kind}"
            yield Figure(figure, worst, "points of F1", f">= {least}", note)


def _measured_ways(drawn: list[tuple[float, str]]) -> str:
    ways = "; ".join(way for _, way in drawn)
    sets = f"{len(DECIDED_SETS)} of {len(hundred_decisions.SETS)} sets"
    return f"draw {DRAW} of {len(drawn)} ways ({ways}), in {sets}"


PARTS: dict[str, Callable[[Cloud], Iterable[Figure]]] = {
    "cold": cold.measure,
    "cold_ai": cold_ai.measure,
    "warm": warm.measure,
    "classification": classification.measure,
    "reads": reads.measure,
}
WITHOUT_CLOUD: dict[str, Callable[[], Iterable[Figure]]] = {
    "quality": matching_quality.measure,
    "local": local_quality.measure,
    "matching": matching_speed.measure,
    "decisions": after_decisions,
    "crawl": crawl_speed.measure,
}
# On a busy machine a call of Redis that timed out would measure the way without it.
SETTINGS = {"RATE_LIMIT_SCALE": "100000", "REDIS_TIMEOUT_SECONDS": "10"}


def main(arguments: list[str]) -> int:
    """Print the figures as they come and write them, if they are all, to bench.json."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument(
        "part", nargs="?", choices=[*PARTS, *WITHOUT_CLOUD], help="measure one part"
    )
    only = parser.parse_args(arguments).part
    figures = []
    for figure in _measured([only] if only else [*PARTS, *WITHOUT_CLOUD]):
        figures.append(figure)
        sys.stdout.write(f"{figure.line()}\n")
        sys.stdout.flush()
    if only is None:
        write(figures, ROOT / "bench.json")
    return 0


def _measured(parts: list[str]) -> Iterator[Figure]:
    on_cloud = [name for name in parts if name in PARTS]
    if on_cloud:
        with running(SETTINGS) as cloud:
            cloud.fill(min(reads.SIZES.values()))
            for name in on_cloud:
                yield from PARTS[name](cloud)
    for name in parts:
        if name in WITHOUT_CLOUD:
            yield from WITHOUT_CLOUD[name]()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
