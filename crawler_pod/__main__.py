"""Run one job, and end.

`python -m crawler_pod --report-url URL --audience A --token N --bucket B [--local]` asks the
product for its order, tells it how far it is, and stores the result in Cloud Storage.
`python -m crawler_pod --recipe FILE --job FILE --out FOLDER [--local]` needs no product: progress
and the manifest are printed, each as one line of JSON.

Ends with 0 when the crawl did (whole or not: the manifest says), 1 when it failed or does not
count, 2 when it could not be begun.
"""

import argparse
import asyncio
import signal
import sys
from pathlib import Path
from typing import TypeVar

import msgspec

from crawler_pod import cloud_storing, metadata
from crawler_pod.backend import Superseded, Unreachable
from crawler_pod.ordered import Addresses, run_order
from crawler_pod.running import Around, Refusal, run_job
from crawler_pod.storing import Folder, HandedOver
from shared.crawling.recipes import Job, Recipe
from shared.crawling.results import Manifest, Progress

Read = TypeVar("Read", Recipe, Job)
BY_PRODUCT = ("report_url", "audience", "token", "bucket")
BY_FILES = ("recipe", "job", "out")


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
    chosen = _chosen(arguments)
    try:
        manifest = asyncio.run(_run(chosen))
    except (OSError, msgspec.MsgspecError, Refusal, Unreachable) as error:
        sys.stderr.write(f"The job cannot be run: {error}\n")
        return 2
    except (HandedOver, Superseded, cloud_storing.StoringFailed) as error:
        sys.stderr.write(f"The result does not count: {error}\n")
        return 1
    return 1 if manifest.ending == "failed" else 0


def _chosen(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m crawler_pod")
    parser.add_argument("--report-url", help="where the product hears this pod")
    parser.add_argument("--audience", help="for whom this pod's identity is meant")
    parser.add_argument("--token", type=int, help="the fencing token of this launch")
    parser.add_argument("--bucket", help="the bucket of the result")
    parser.add_argument("--storage-url", default=cloud_storing.STORAGE, help="where Storage is")
    parser.add_argument("--metadata-url", default=metadata.SERVER, help="who says who we are")
    parser.add_argument("--recipe", type=Path, help="the retailer's recipe, JSON")
    parser.add_argument("--job", type=Path, help="the job, JSON")
    parser.add_argument("--out", type=Path, help="the folder of the result")
    parser.add_argument("--local", action="store_true", help="allow a recipe's local shop")
    chosen = parser.parse_args(arguments)
    wanted = BY_FILES if chosen.recipe else BY_PRODUCT
    missing = [name for name in wanted if getattr(chosen, name) is None]
    if missing:
        parser.error("missing: " + ", ".join("--" + name.replace("_", "-") for name in missing))
    return chosen


async def _run(chosen: argparse.Namespace) -> Manifest:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if chosen.recipe is None:
        addresses = Addresses(
            report_url=chosen.report_url,
            audience=chosen.audience,
            bucket=chosen.bucket,
            storage_url=chosen.storage_url,
            metadata_url=chosen.metadata_url,
        )
        return await run_order(addresses, chosen.token, stop, local=chosen.local)
    recipe, job = _read(chosen.recipe, Recipe), _read(chosen.job, Job)
    around = Around(Folder(chosen.out), Printed(), stop, local=chosen.local)
    return await run_job(recipe, job, around)


def _read(path: Path, kind: type[Read]) -> Read:
    return msgspec.json.decode(path.read_bytes(), type=kind)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
