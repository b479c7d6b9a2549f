"""How fast and complete the matcher is, beside its peers: `python -m tests.benchmarks matching`.

Each side runs in a process of its own and is measured in CPU seconds, so that a busy machine slows
both down alike; where a ratio is asked for the sides take turns and the best of each counts. CPU
seconds of threads add up: beside Splink, which has one for each core, the wall's clock is told too.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Final

from local.plan import ROOT
from tests.benchmarks.figures import Figure

PEERS: Final = ROOT / ".venv-bench" / "bin" / "python"
HERE: Final = Path(__file__).parent / "peers"
SIZE: Final = 100_000
LARGE: Final = 1_000_000
MANY_PRODUCTS: Final = 200_000
# Below what was measured (0.72 found, 0.997 met, 0.82 found through lists): nothing that was asked
# for, but what falls below is broken.
FOUND_FLOOR: Final = ">= 0.7"
FOUND_FLOOR_OF_MANY: Final = ">= 0.65"
MET_FLOOR: Final = ">= 0.99"
LISTS_FLOOR: Final = ">= 0.8"
ROUNDS: Final = 2
_CHILD_SECONDS: Final = 3600
_STARTS: Final = 7
_PACKAGES: Final = ("numpy", "rapidfuzz")

Told = dict[str, Any]


def measure() -> Iterator[Figure]:
    """All figures, the quick ones first."""
    yield from footprint()
    yield from row_and_product()
    yield from pair_scoring()
    yield from deduplication()
    yield from growth()
    yield from through_lists()


def row_and_product() -> Iterator[Figure]:
    """One new row of a file against 100,000 in memory, as a preview has it, and one product.

    A product that was written is looked for through posting lists and judged among thirty, where
    rivals take part; what Firestore takes is not in it. RapidFuzz is asked for the same names.
    """
    told = _child("row", 2 * SIZE)
    note = f"{told['seconds'] * 1000:.2f} ms, WRatio {told['peer_seconds'] * 1000:.0f} ms"
    yield Figure("matching.row_against_100000_in_memory", told["ratio"], "x WRatio", ">= 150", note)
    yield Figure("matching.row_recall_at_10", told["recall_at_10"], "", ">= 0.99")
    told = _child("one_through_lists", SIZE)
    note = f"{told['seconds'] * 1000:.1f} ms among rivals, WRatio {told['peer_seconds'] * 1000:.0f}"
    yield Figure("matching.product_through_lists", told["ratio"], "x WRatio", ">= 150", note)
    yield Figure("matching.product_recall_at_10", told["recall_at_10"], "", ">= 0.99")


def pair_scoring() -> Iterator[Figure]:
    """Candidates compared in full among rivals, in a second: so many, or so much of the peer's.

    The peer compares any pairs, which take it as long as candidates do.
    """
    ours = max(_child("pairs", 20_000)["pairs_a_second"] for _ in range(ROUNDS))
    ratio = None
    if PEERS.exists():
        with tempfile.TemporaryDirectory() as folder:
            table = f"{folder}/offers.csv"
            _child("write", 20_000, table)
            peer = max(_peer("compare", table)["pairs_a_second"] for _ in range(ROUNDS))
        ratio = ours / peer
    yield from either(ours, ratio)


def either(ours: float, ratio: float | None) -> Iterator[Figure]:
    """Pairs in a second and over recordlinkage's: the one or the other has to reach its aim."""
    seconds_aim, ratio_aim = ">= 150000", ">= 50"
    fast = Figure("matching.pairs_a_second", ours, "pairs/s", seconds_aim)
    name = "matching.pairs_over_recordlinkage"
    faster = Figure(name, ratio, "x", ratio_aim, "" if ratio else _NO_PEERS)
    if ratio is not None and fast.short != faster.short:
        met, missed = (faster, fast) if fast.short else (fast, faster)
        note = f"{missed.aim} or {met.name} {met.aim}, which is met"
        missed = replace(missed, aim="", note=note)
        fast, faster = (missed, faster) if fast.short else (fast, missed)
    yield fast
    yield faster


def deduplication() -> Iterator[Figure]:
    """100,000 products of two retailers, as `tools.match_pairs --all` matches them, and Splink.

    Either side teaches itself on what it matches, and is timed from rows as they are written; each
    has its own preparation.
    """
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        table, found = f"{folder}/offers.csv", f"{folder}/found.csv"
        for _ in range(ROUNDS):
            ours.append(_child("deduplicate", SIZE))
            if PEERS.exists():
                _child("write", SIZE, table)
                theirs.append(_peer("link", table, found))
        reached = _child("read", SIZE, found) if theirs else {}
    least = min(each["seconds"] for each in ours)
    taught = min(each["taught_seconds"] for each in ours)
    note = f"{taught:.1f} of them to be taught"
    yield Figure("matching.100000_seconds", least, "CPU s", note=note)
    yield Figure("matching.100000_candidate_recall", ours[0]["candidate_recall"], "", ">= 0.95")
    note = f"precision {ours[0]['precision']:.3f}"
    yield Figure("matching.100000_recall", ours[0]["recall"], "", FOUND_FLOOR, note)
    peak = max(each["megabytes"] for each in ours)
    yield Figure("matching.100000_memory", peak, "MB", "<= 500")
    if not theirs:
        yield Figure("matching.100000_over_splink", None, "x", note=_NO_PEERS)
        return
    yield from _over_splink(ours, theirs, reached)


def _over_splink(ours: list[Told], theirs: list[Told], reached: Told) -> Iterator[Figure]:
    least = min(each["seconds"] for each in ours)
    whole = min(each["seconds"] for each in theirs)
    prepared = min(each["prepared_seconds"] for each in theirs)
    note = (
        f"both from the rows on; Splink {whole:.1f} CPU s, {prepared:.1f} of them its preparation,"
        f" recall {reached['recall']:.3f}, precision {reached['precision']:.3f},"
        f" {theirs[0]['megabytes']:.0f} MB"
    )
    yield Figure("matching.100000_over_splink", whole / least, "x", ">= 3.5", note)
    wall, peer_wall = (min(each["wall_seconds"] for each in side) for side in (ours, theirs))
    note = f"Splink {peer_wall:.1f} s on {os.cpu_count()} cores, ours {wall:.1f} s on one"
    yield Figure("matching.100000_over_splink_by_the_wall", peer_wall / wall, "x", note=note)
    spared = min(each["seconds"] - each["prepared_seconds"] for each in theirs)
    note = f"Splink {spared:.1f} CPU s, spared its preparation; ours prepares"
    name = "matching.100000_over_prepared_splink"
    yield Figure(name, spared / least, "x", ">= 3.5", note)
    after = min(each["prepared_seconds"] + each["prediction_seconds"] for each in theirs)
    given = min(each["seconds"] - each["taught_seconds"] for each in ours)
    note = "both from the rows on, without their training"
    yield Figure("matching.100000_both_taught_before", after / given, "x", note=note)


def growth() -> Iterator[Figure]:
    """1,000,000 products over 100,000, each taught on itself."""
    least = min(_child("deduplicate", SIZE)["seconds"] for _ in range(ROUNDS))
    large = _child("deduplicate", LARGE)
    note = f"{large['seconds']:.0f} CPU s, {large['megabytes']:.0f} MB"
    yield Figure("matching.1000000_over_100000", large["seconds"] / least, "x", "<= 30", note)
    recall = large["candidate_recall"]
    yield Figure("matching.1000000_candidate_recall", recall, "", ">= 0.95")
    note = f"precision {large['precision']:.3f}"
    # The 0.95 is of candidates: siblings must not crowd the equal out. What nothing tells apart is
    # not found either way.
    yield Figure("matching.1000000_recall", large["recall"], "", FOUND_FLOOR_OF_MANY, note)


def through_lists() -> Iterator[Figure]:
    """What one product reads and finds through capped posting lists, by the product's own steps."""
    for size in (2_000, MANY_PRODUCTS):
        told = _child("lists", size)
        note = (
            f"mean {told['reads_by_formula']:.1f}, without the search's; counted in truth as"
            f" reads.match_product; {100 * told['full_lists']:.0f} % of its lists are full"
        )
        most = told["most_reads_by_formula"]
        # No aim: by its formula it cannot be more than 49.
        yield Figure(f"matching.reads_by_formula_at_{size}", most, "documents", note=note)
        yield Figure(f"matching.met_in_lists_at_{size}", told["met"], "", MET_FLOOR)
        yield Figure(f"matching.found_through_lists_at_{size}", told["found"], "", LISTS_FLOOR)


def footprint() -> Iterator[Figure]:
    """What a function that matches loads more than one that does not, up to its first verdict."""
    base = "import msgspec, shared.products.matching"
    spent = [(_start(base), _start(f"{base}\n{_FIRST_VERDICT}")) for _ in range(_STARTS)]
    added = min(late for _, late in spent) - min(early for early, _ in spent)
    yield Figure("matching.start_up", added * 1000, "ms CPU", "<= 300")
    for package in _PACKAGES:
        yield Figure(f"matching.{package}_on_disk", _on_disk(package), "MB")
    yield Figure("matching.packages", sum(map(_on_disk, _PACKAGES)), "MB", "<= 90")


# RapidFuzz is imported when names are compared for the first time.
_FIRST_VERDICT: Final = """
from shared.products.matching import LearnedMatcher, Offer, default_model
a, b = (Offer(s, s, f"Anchor Milk {s} 400g", "", "", "", 9800, "LKR") for s in ("one", "two"))
LearnedMatcher(default_model()).judge(a, [b])
import sys
assert {"numpy", "rapidfuzz"} <= sys.modules.keys()
""".strip()
_NO_PEERS: Final = "no .venv-bench: run make bench"


def _child(part: str, size: int, *rest: str) -> Told:
    return _told([sys.executable, "-m", "tests.benchmarks.matching_child", part, str(size), *rest])


def _peer(script: str, *arguments: str) -> Told:
    return _told([str(PEERS), "-m", f"tests.benchmarks.peers.{script}", *arguments])


def _told(command: list[str]) -> Told:
    done = subprocess.run(  # noqa: S603 - our own scripts
        command,
        cwd=ROOT,
        # Threads of linear algebra wait by spinning, which would count as work.
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=_CHILD_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    told: Told = json.loads(done.stdout.splitlines()[-1])
    return told


def _start(code: str) -> float:
    """CPU seconds of a new interpreter that runs `code`."""
    told = "import json, time; print(json.dumps({'seconds': time.process_time()}))"
    return float(_told([sys.executable, "-c", f"{code}\n{told}"])["seconds"])


def _on_disk(package: str) -> float:
    """Megabytes of a package's files, without compiled bytecode."""
    files = distribution(package).files or []
    paths = [Path(str(file.locate())) for file in files if file.suffix != ".pyc"]
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6
