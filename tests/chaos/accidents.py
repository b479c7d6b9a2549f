"""What befalls a batch beside failing calls: workers that die, and providers that are away."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event
from typing import Final

import httpx
import psutil

from local.accounts import SUPER_ADMIN
from shared.classification import batches
from shared.classification.models import KEYED
from shared.edge.request import Actor
from tests import sessions
from tests.chaos.models import Models
from tests.integration.products.support import Json, Shop
from tests.memory import peak_mb
from tests.polling import eventually

BY: Final = Actor("drill", "drill@shopple.test", "provider_key.set", "", "")
# Between the moments at which somebody sets the keys anew, which closes every circuit.
KEYS_GAP_SECONDS: Final = 3.0
OUTAGE_SECONDS: Final = 0.7
# Of the batch's parts: what happens later may find nothing under way.
LATEST_SHARE: Final = 0.9


@dataclass(frozen=True)
class Wanted:
    """How many accidents of each kind, over how many parts, and between which looks at them."""

    seed: int
    kills: int
    outages: int
    parts: int
    look_seconds: float


@dataclass
class Accidents:
    """What has happened so far."""

    shop: Shop
    models: Models
    wanted: Wanted
    # What had succeeded in the queue before.
    begun_with: int
    kills: int = 0
    outages: int = 0
    _over: Event = field(default_factory=Event)

    @contextmanager
    def happening(self) -> Iterator[None]:
        """They happen while the batch runs, and no longer."""
        works = (self._kill, self._go_away, self._set_keys)
        with ThreadPoolExecutor(len(works)) as pool, ExitStack() as ends:
            working = [pool.submit(work) for work in works]
            ends.callback(self._over.set)
            yield
        for each in working:
            each.result()

    def _kill(self) -> None:
        """All workers in the middle of a call, and then one or the other, by a seed's luck."""
        luck = self._luck("kills")
        moments = self._moments(luck, self.wanted.kills - 1)
        master = psutil.Process(self.shop.stack.part("functions").pid)
        while not self.models.answers.is_held.wait(0.05):
            if self._over.is_set():
                return
        self._end(master.children())
        for parts in moments:
            if self._is_over_before(parts):
                return
            self._end([luck.choice(eventually(master.children))])

    def _end(self, workers: list[psutil.Process]) -> None:
        for worker in workers:
            with suppress(psutil.NoSuchProcess):
                worker.kill()
        self.kills += 1

    def _go_away(self) -> None:
        """No provider listens for a while."""
        for parts in self._moments(self._luck("outages"), self.wanted.outages):
            if self._is_over_before(parts):
                return
            with self.models.outage():
                self._over.wait(OUTAGE_SECONDS)
            self.outages += 1

    def _set_keys(self) -> None:
        """Somebody sees to wrong keys and unpaid accounts, again and again."""
        owner = sessions.log_in(self.shop.stack, SUPER_ADMIN)
        with sessions.new_client(self.shop.stack, owner) as http:
            while not self._over.wait(KEYS_GAP_SECONDS):
                for provider in KEYED:
                    body = {"provider": provider, "key": f"drill-key-of-{provider}"}
                    # A worker that is killed takes what it serves along.
                    with suppress(httpx.TransportError):
                        http.post("/keys/set", json=body)

    def _moments(self, luck: random.Random, count: int) -> list[float]:
        """After how many parts each is to happen: spread over the batch, however fast that is."""
        most = LATEST_SHARE * self.wanted.parts
        return sorted(luck.uniform(0, most) for _ in range(count))

    def _is_over_before(self, parts: float) -> bool:
        """Waits until so many parts are done and others are under way."""
        while not self._over.wait(self.wanted.look_seconds):
            queue = queue_of(self.shop)
            if queue["running"] and queue["succeeded"] - self.begun_with >= parts:
                return False
        return True

    def _luck(self, what: str) -> random.Random:
        return random.Random(f"{what} {self.wanted.seed}")  # noqa: S311 - luck, and no secret


def replace_workers(shop: Shop) -> None:
    """Has others in their place, who know nothing of what was set before."""
    for worker in psutil.Process(shop.stack.part("functions").pid).children():
        with suppress(psutil.NoSuchProcess):
            worker.kill()


def most_mb(shop: Shop) -> float:
    """The most memory that one of the workers of now has had, each of which serves any function."""
    workers = psutil.Process(shop.stack.part("functions").pid).children()
    return max((peak_mb(worker.pid) for worker in workers), default=0.0)


def begun(shop: Shop, products: list[Json]) -> str:
    """The id of a new batch, though the worker that is asked may just have been replaced."""

    def accepted() -> Json | None:
        answered = shop.http.post("/classify-batch", json={"products": products})
        assert answered.status_code in (202, 500, 502, 503), answered.text
        return answered.json() if answered.status_code == 202 else None

    return str(eventually(accepted)["batch_id"])


def queue_of(shop: Shop) -> dict[str, int]:
    """What became of the deliveries so far, and how many run."""
    (queue,) = (
        each for each in shop.stack.control.tasks()["queues"] if each["name"] == batches.QUEUE
    )
    return {name: queue[name] for name in ("succeeded", "failed", "repeated", "running")}
