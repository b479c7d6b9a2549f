"""Firestore's news for the whole service: the crawls that go on, and the sessions that end.

One listener for each, whatever the number of sockets, and none while there is no socket. The
library's listener works in threads and ends for good on some errors, so it is watched over.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, Final, Self

from live.board import Board, State
from shared.clients import firestore
from shared.clock import utc_now
from shared.crawling.models import ENDED, from_document
from shared.crawling.schemas import JobStatus
from shared.edge import session_records
from shared.edge.answer import encode
from shared.errors import DependencyUnavailable, ShoppleError

log = logging.getLogger(__name__)

JOBS: Final = "crawl_jobs"
GOING_ON: Final = ("queued", "running", "stopping")
# More crawls at once than any cluster of ours runs; those beyond are not told of under "all".
MOST_JOBS: Final = 1_000
LOOK_SECONDS: Final = 1.0
READY_SECONDS: Final = 8.0
# Longer than a ticket lives: a session that ended before its socket opened is known.
BEFORE: Final = timedelta(minutes=2)

# What fits a query now, and what changed of it.
Heard = Callable[[list[Any], list[Any]], None]


class Listener:
    """Hears of Firestore while there are sockets, and tells the board."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._users = 0
        self._ready = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._reading: set[asyncio.Task[None]] = set()
        self._gone: set[str] = set()

    async def __aenter__(self) -> Self:
        self._users += 1
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._users -= 1
        if self._users == 0 and self._watching is not None:
            watching, self._watching = self._watching, None
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            self._board.forget_states()

    async def ready(self) -> None:
        """Wait until the crawls that go on are known; raises DependencyUnavailable."""
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self._ready.wait()
        except TimeoutError:
            raise DependencyUnavailable("The database does not answer.") from None

    async def read(self, job_ids: list[str]) -> list[State]:
        """The states of some crawls as they are stored; raises a ShoppleError."""
        return await asyncio.to_thread(_read, job_ids)

    async def _watch(self) -> None:
        since = utc_now() - BEFORE
        loop = asyncio.get_running_loop()
        while True:
            begun = asyncio.create_task(asyncio.to_thread(self._begin, loop, since))
            try:
                # A thread cannot be stopped: what it begins is ended whenever it is there.
                watches = await asyncio.shield(begun)
                while all(watch.is_active for watch in watches):  # noqa: ASYNC110 - it has no event
                    await asyncio.sleep(LOOK_SECONDS)
                log.warning("A listener ended and begins again")
            except ShoppleError:
                log.exception("A listener could not begin")
                await asyncio.sleep(LOOK_SECONDS)
            finally:
                self._ready.clear()
                begun.add_done_callback(_end)

    def _begin(self, loop: asyncio.AbstractEventLoop, since: Any) -> list[Any]:
        from google.cloud.firestore import FieldFilter

        database = firestore.client()
        jobs = database.collection(JOBS).where(filter=FieldFilter("status", "in", GOING_ON))
        lately = FieldFilter("revoked_at", ">=", since)
        ended = database.collection(session_records.COLLECTION).where(filter=lately)
        with firestore.errors_mapped():
            return [
                jobs.limit(MOST_JOBS).on_snapshot(_in_loop(loop, self._hear_jobs)),
                ended.on_snapshot(_in_loop(loop, self._hear_sessions)),
            ]

    def _hear_jobs(self, found: list[Any], changes: list[Any]) -> None:
        going_on = {snapshot.id for snapshot in found}
        for snapshot in (change.document for change in changes):
            if snapshot.id in going_on:
                self._board.publish(_state(snapshot.id, snapshot.to_dict() or {}))
        gone = [each for each in self._board.missing_from(going_on) if each not in self._gone]
        if gone:
            # What goes on no more is not in the answer: how it ended is read once, for all.
            self._gone.update(gone)
            reading = asyncio.create_task(self._publish_ended(gone))
            self._reading.add(reading)
            reading.add_done_callback(self._reading.discard)
        self._ready.set()

    async def _publish_ended(self, job_ids: list[str]) -> None:
        try:
            states = await self._insisted(job_ids)
        finally:
            self._gone.difference_update(job_ids)
        for state in states:
            self._board.publish(state)
        for job_id in set(job_ids) - {state.job_id for state in states}:
            self._board.drop(job_id)

    async def _insisted(self, job_ids: list[str]) -> list[State]:
        """What is read in the end: no other news need come that would have it read again."""
        while True:
            try:
                return await self.read(job_ids)
            except ShoppleError:
                log.exception("The ends of crawls could not be read")
                if not self._users:
                    return []
            await asyncio.sleep(LOOK_SECONDS)

    def _hear_sessions(self, found: list[Any], _: list[Any]) -> None:
        self._board.revoke(snapshot.id for snapshot in found)


def _in_loop(loop: asyncio.AbstractEventLoop, heard: Heard) -> Callable[..., None]:
    def receive(documents: Iterable[Any], changes: Iterable[Any], _read_at: Any) -> None:
        loop.call_soon_threadsafe(heard, list(documents), list(changes))

    return receive


def _end(begun: "asyncio.Task[list[Any]]") -> None:
    if begun.cancelled() or begun.exception() is not None:
        return
    for watch in begun.result():
        # It waits for its own threads.
        asyncio.get_running_loop().run_in_executor(None, watch.unsubscribe)


def _read(job_ids: list[str]) -> list[State]:
    database = firestore.client()
    jobs = [database.collection(JOBS).document(job_id) for job_id in job_ids]
    with firestore.errors_mapped():
        found = list(database.get_all(jobs, **firestore.limits()))
    return [_state(each.id, each.to_dict() or {}) for each in found if each.exists]


def _state(job_id: str, fields: dict[str, Any]) -> State:
    job = from_document(job_id, fields)
    return State(job_id, encode(JobStatus.of(job)).decode(), job.status in ENDED)
