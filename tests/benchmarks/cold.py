"""What the first request of a new instance costs, over hello's and over the function's floor."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from local.plan import ROOT
from tests.benchmarks.call import Call
from tests.benchmarks.calls import CALLS
from tests.benchmarks.cloud import Cloud
from tests.benchmarks.figures import Figure
from tests.benchmarks.instance import MARK
from tests.benchmarks.requests import Maker
from tools.declarations import Declared, declared

ROUNDS: Final = 3
HERE: Final = Path(__file__).parent
HELLO: Final = {"target": "hello", "source": str(HERE / "hello" / "main.py")}
_CHILD_SECONDS: Final = 120
_SHOWN_CHARS: Final = 2000


def measure(cloud: Cloud) -> Iterator[Figure]:
    """The starts of all functions, one after the other."""
    ratios = []
    for each in declared():
        name = each.function.name
        if name not in CALLS:
            yield Figure(f"cold.{name}", None, "x hello", note="no representative request")
            continue
        try:
            cold, floor, libraries = start(cloud, each, CALLS[name])
        except (RuntimeError, subprocess.TimeoutExpired) as failure:
            yield Figure(f"cold.{name}", None, "x hello", note=str(failure))
            continue
        ratios.append(cold)
        yield Figure(f"cold.{name}", cold, "x hello")
        yield Figure(f"cold_floor.{name}", floor, "x floor", "<= 1.25", note=libraries)
    mean = statistics.geometric_mean(ratios)
    yield Figure("cold.geometric_mean", mean, "x hello", "<= 3.0")
    yield cached_list(cloud)


def cached_list(cloud: Cloud) -> Figure:
    """Whether a new instance that finds its page in the cache loads Firestore."""
    (products,) = (each for each in declared() if each.function.name == "products")
    told = run("instance", cloud, job(cloud, products, CALLS["products"]))
    if told["cache"] != "HIT":
        raise RuntimeError("The list was not answered from the cache.")
    loaded = float(told["firestore"])
    return Figure("cold.cached_list_imports_firestore", loaded, "imports", "0")


def start(cloud: Cloud, each: Declared, make: Maker) -> tuple[float, float, str]:
    """A first request over hello's and over its floor, and what the floor is made of."""
    # The first run of each leaves compiled bytecode behind for those that count.
    libraries = run("tracing", cloud, job(cloud, each, make))["libraries"]
    plain = Call("GET", "/")
    hidden = absent(each.codebase)
    hello = HELLO | {"call": plain.packed(), "libraries": [], "hidden": hidden}
    floor = hello | {"libraries": libraries}
    run("instance", cloud, hello)
    run("instance", cloud, floor)
    run("instance", cloud, job(cloud, each, make))
    rounds = []
    for _ in range(ROUNDS):
        jobs = (hello, floor, job(cloud, each, make))
        rounds.append([float(run("instance", cloud, one)["seconds"]) for one in jobs])
    least, needed, whole = (statistics.median(column) for column in zip(*rounds, strict=True))
    packages = sorted({_package(library) for library in libraries})
    note = f"floor {needed / least:.2f}: {' '.join(packages)}"
    return whole / least, whole / needed, note if packages else ""


def _package(module: str) -> str:
    parts = module.split(".")
    return ".".join(parts[: 3 if parts[0] == "google" else 1])


def job(cloud: Cloud, each: Declared, make: Maker) -> dict[str, Any]:
    """What a process is told that serves the request."""
    cloud.settle()
    call = make(cloud)
    return {
        "target": each.function.name,
        "source": str(ROOT / "functions" / each.codebase / "main.py"),
        "call": call.packed(),
        "libraries": [],
        "hidden": absent(each.codebase),
    }


def run(script: str, cloud: Cloud, job: dict[str, Any]) -> dict[str, Any]:
    """What the script tells of the job, run as a new process; raises RuntimeError if it fails."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "PYTHONPATH": str(ROOT),
        "FUNCTION_TARGET": job["target"],
        **cloud.environment(),
    }
    done = subprocess.run(  # noqa: S603 - our own code
        # The scripts' folder is no part of what a function sees.
        [sys.executable, "-P", str(HERE / f"{script}.py")],
        cwd=Path(job["source"]).parent,
        env=environment,
        input=json.dumps(job),
        capture_output=True,
        text=True,
        timeout=_CHILD_SECONDS,
        check=False,
    )
    told = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    if done.returncode != 0 or not told:
        output = f"{done.stdout[-_SHOWN_CHARS:]}{done.stderr[-_SHOWN_CHARS:]}"
        raise RuntimeError(f"{script} of {job['target']} failed:\n{output}")
    found: dict[str, Any] = json.loads(told[-1].removeprefix(MARK))
    return found


@cache
def absent(codebase: str) -> list[str]:
    """The packages of this environment that a deployed function of `codebase` lacks.

    Some libraries take along what they find: httpx loads a whole command line where Rich is.
    """
    lines = (ROOT / "requirements" / f"{codebase}.txt").read_text().splitlines()
    pinned = [line.rstrip(" \\") for line in lines if line[:1].isalnum()]
    wanted = {canonicalize_name(Requirement(line).name) for line in pinned}
    return sorted(
        package
        for package, owners in packages_distributions().items()
        if package.isidentifier() and not any(canonicalize_name(o) in wanted for o in owners)
    )
