"""Measure the product on the local cloud: `python -m tests.benchmarks [--only cold|warm|reads]`.

Times are CPU times of the measured process, and ratios of what runs in turn, so that a machine
that does other work spoils them little.
"""

import argparse
import sys
from collections.abc import Callable, Iterable

from local.plan import ROOT
from tests.benchmarks import cold, reads, warm
from tests.benchmarks.cloud import Cloud, running
from tests.benchmarks.figures import Figure, write

PARTS: dict[str, Callable[[Cloud], Iterable[Figure]]] = {
    "cold": cold.measure,
    "warm": warm.measure,
    "reads": reads.measure,
}
# On a busy machine a call of Redis that timed out would measure the way without it.
SETTINGS = {"RATE_LIMIT_SCALE": "100000", "REDIS_TIMEOUT_SECONDS": "10"}


def main(arguments: list[str]) -> int:
    """Print the figures as they come and write them, if they are all, to bench.json."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--only", choices=list(PARTS), help="measure one part")
    only = parser.parse_args(arguments).only
    figures = []
    with running(SETTINGS) as cloud:
        cloud.fill(min(reads.SIZES.values()))
        for name in [only] if only else PARTS:
            for figure in PARTS[name](cloud):
                figures.append(figure)
                sys.stdout.write(f"{figure.line()}\n")
                sys.stdout.flush()
    if only is None:
        write(figures, ROOT / "bench.json")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
