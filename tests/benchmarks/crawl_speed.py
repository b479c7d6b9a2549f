"""Pages in a second of the pod's fast way, against crawl4ai's HTTP strategy on the same shop.

Both sides run in turn, each in a process of its own, on the same pages of one loopback shop without
faults, with as many requests at once, no pace, no second attempts, and the same extraction.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from local.plan import ROOT
from local.ports import HOST, Ports
from tests.benchmarks.figures import Figure
from tests.polling import eventually

ROUNDS: Final = 3
AIM: Final = ">= 3"
PEER_PYTHON: Final = ROOT / ".venv-crawl" / "bin" / "python"
_SECONDS: Final = 300
# What its documentation has people call, the same without what our extraction has no use for, and
# the strategy alone.
PEERS: Final = {
    "crawler": "AsyncWebCrawler over AsyncHTTPCrawlerStrategy, with cleaned HTML and markdown",
    "prefetch": "AsyncWebCrawler over AsyncHTTPCrawlerStrategy, prefetch=True: HTML and links only",
    "strategy": "bare AsyncHTTPCrawlerStrategy, no crawler around it",
}


def measure() -> Iterator[Figure]:
    """Our rate, and how many times each of crawl4ai's it is: medians over the rounds."""
    if not PEER_PYTHON.exists():
        for peer in PEERS:
            yield Figure(_versus(peer), None, "x", AIM, "no .venv-crawl: make crawl-packages")
        return
    rounds: dict[str, list[dict[str, Any]]] = {name: [] for name in ("ours", *PEERS)}
    with _shop() as origin:
        for _ in range(ROUNDS):
            rounds["ours"].append(_run(sys.executable, origin, "ours"))
            for peer in PEERS:
                rounds[peer].append(_run(str(PEER_PYTHON), origin, peer))
    found = {
        (each["pages"], each["rows"], each["sum"]) for runs in rounds.values() for each in runs
    }
    if len(found) != 1:
        raise RuntimeError(f"The sides did not find the same: {sorted(found)}")
    yield from _figures(rounds)


def _figures(rounds: dict[str, list[dict[str, Any]]]) -> Iterator[Figure]:
    ours = rounds["ours"]
    yield Figure("crawl.fast", statistics.median(map(_rate, ours)), "pages/s")
    for peer, what in PEERS.items():
        runs = rounds[peer]
        rate = statistics.median(map(_rate, runs))
        yield Figure(f"crawl.crawl4ai_{peer}", rate, "pages/s", note=what)
        wall = [_rate(one) / _rate(other) for one, other in zip(ours, runs, strict=True)]
        yield Figure(_versus(peer), statistics.median(wall), "x", AIM, f"against {what}")
        cpu = [other["cpu"] / one["cpu"] for one, other in zip(ours, runs, strict=True)]
        yield Figure(f"crawl.cpu_of_crawl4ai_{peer}", statistics.median(cpu), "x ours")


def _versus(peer: str) -> str:
    return f"crawl.fast_x_crawl4ai_{peer}"


def _rate(run: dict[str, Any]) -> float:
    return float(run["pages"]) / float(run["seconds"])


def _run(python: str, origin: str, side: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(  # noqa: S603 - our own code
            [python, "-m", "tests.benchmarks.crawl_side", side, origin, folder],
            cwd=ROOT,
            env={
                **os.environ,
                "CRAWL4AI_NO_CLOUD_NOTICE": "1",
                "CRAWL4_AI_BASE_DIRECTORY": folder,
            },
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


@contextmanager
def _shop() -> Iterator[str]:
    """The shop in a process of its own."""
    port = Ports.free().gateway
    origin = f"http://{HOST}:{port}"
    arguments = [sys.executable, "-m", "local.shop", "--port", str(port), "--no-faults"]
    with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.DEVNULL) as served:  # noqa: S603 - our own code
        try:
            eventually(lambda: _answers(origin))
            yield origin
        finally:
            served.terminate()


def _answers(origin: str) -> bool:
    with suppress(urllib.error.URLError, ConnectionError):
        return bool(urllib.request.urlopen(f"{origin}/robots.txt").status)  # noqa: S310 - loopback
    return False


def main(arguments: list[str]) -> int:
    """Prints the figures by themselves."""
    argparse.ArgumentParser(prog="python -m tests.benchmarks.crawl_speed").parse_args(arguments)
    for figure in measure():
        sys.stdout.write(f"{figure.line()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
