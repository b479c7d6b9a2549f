"""Run one job: `python -m crawler_pod --recipe FILE --job FILE --out FOLDER [--local]`.

Progress and the manifest are printed, each as one line of JSON. Ends with 0 when the crawl did
(whole or not: the manifest says), 1 when it failed, 2 when it could not be begun.
"""

import argparse
import asyncio
import signal
import sys
from pathlib import Path
from typing import TypeVar

import msgspec

from crawler_pod.running import Around, Refusal, run_job
from crawler_pod.storing import Folder, HandedOver
from shared.crawling.recipes import Job, Recipe
from shared.crawling.results import Manifest, Progress

Read = TypeVar("Read", Recipe, Job)


class Printed:
    """Reports on the standard output, a line each."""

    async def progress(self, progress: Progress) -> None:
        """As Reports says."""
        self._line("progress", progress)

    async def ended(self, manifest: Manifest) -> None:
        """As Reports says."""
        self._line("ended", manifest)

    def _line(self, name: str, value: Progress | Manifest) -> None:
        sys.stdout.buffer.write(msgspec.json.encode({name: value}) + b"\n")
        sys.stdout.buffer.flush()


def main(arguments: list[str]) -> int:
    """The exit code of the command."""
    parser = argparse.ArgumentParser(prog="python -m crawler_pod")
    parser.add_argument("--recipe", type=Path, required=True, help="the retailer's recipe, JSON")
    parser.add_argument("--job", type=Path, required=True, help="the job, JSON")
    parser.add_argument("--out", type=Path, required=True, help="the folder of the result")
    parser.add_argument("--local", action="store_true", help="allow a recipe's local shop")
    chosen = parser.parse_args(arguments)
    try:
        recipe, job = _read(chosen.recipe, Recipe), _read(chosen.job, Job)
        manifest = asyncio.run(_run(recipe, job, chosen.out, local=chosen.local))
    except (OSError, msgspec.MsgspecError, Refusal) as error:
        sys.stderr.write(f"The job cannot be run: {error}\n")
        return 2
    except HandedOver as error:
        sys.stderr.write(f"The result does not count: {error}\n")
        return 1
    return 1 if manifest.ending == "failed" else 0


async def _run(recipe: Recipe, job: Job, out: Path, *, local: bool) -> Manifest:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return await run_job(recipe, job, Around(Folder(out), Printed(), stop, local=local))


def _read(path: Path, kind: type[Read]) -> Read:
    return msgspec.json.decode(path.read_bytes(), type=kind)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
