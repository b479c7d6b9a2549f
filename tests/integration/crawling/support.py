"""The shop on a port of its own, and crawls of it."""

import asyncio
import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import uvicorn

from crawler_pod.running import Around, run_job
from crawler_pod.storing import Folder
from local.ports import HOST
from local.shop.server import Faults, Shop
from local.shop.truth import recipe
from shared.crawling.recipes import Job, Recipe
from shared.crawling.results import Manifest, Progress
from tests.polling import eventually

LIMITS: dict[str, Any] = {
    "delay_seconds": 0,
    "backoff_seconds": 0.01,
    "at_once": 8,
    "most_body_bytes": 1_000_000,
}


class Heard:
    """What a crawl told."""

    def __init__(self) -> None:
        self.progress_told: list[tuple[float, Progress]] = []
        self.ended_told: list[Manifest] = []

    async def progress(self, progress: Progress) -> None:
        self.progress_told.append((asyncio.get_running_loop().time(), progress))

    async def ended(self, manifest: Manifest) -> None:
        self.ended_told.append(manifest)


@contextmanager
def serving(faults: Faults) -> Iterator[tuple[str, Shop]]:
    """The shop's origin, and the shop itself."""
    shop = Shop(faults)
    listening = socket.socket()
    listening.bind((HOST, 0))
    # A page that is slow for longer than anybody waited for it keeps no test.
    configured = uvicorn.Config(
        shop.app(), log_level="critical", lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(configured)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    eventually(lambda: server.started)
    yield f"http://{HOST}:{listening.getsockname()[1]}", shop
    server.should_exit = True
    thread.join()


def shop_recipe(origin: str, **limits: Any) -> Recipe:
    return msgspec.convert(recipe(origin, **{**LIMITS, **limits}), Recipe)


def crawled(
    recipe: Recipe, job: Job, folder: Path, around: dict[str, Any] | None = None
) -> tuple[Manifest, Heard]:
    """One crawl in this process."""
    heard = Heard()

    async def run() -> Manifest:
        made = {"stop": asyncio.Event(), "local": True, **(around or {})}
        return await run_job(recipe, job, Around(Folder(folder), heard, **made))

    return asyncio.run(run()), heard


def rows(folder: Path, manifest: Manifest) -> list[dict[str, Any]]:
    """The rows that the manifest names, in order of address."""
    lines = gzip.decompress((folder / manifest.rows.name).read_bytes()).splitlines()
    return sorted(map(msgspec.json.decode, lines), key=lambda row: str(row["url"]))
