"""The product as a pod reaches it: one private function, called with the pod's own identity.

These calls are outside the guard: their addresses come from whoever started the pod.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable
from typing import Final

import aiohttp
import msgspec

from crawler_pod.metadata import Identity
from crawler_pod.pace import OwnPace, SharedPace
from crawler_pod.progress import pages_behind
from shared.crawling.background_schemas import Order, PodAnswer, PodReport
from shared.crawling.lifecycle import Result
from shared.crawling.results import Manifest, Progress

log = logging.getLogger(__name__)

CALL_SECONDS: Final = 10.0
PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 5.0
# How old may be what a pod knows of the others when it asks a host; progress is told more often.
FRESH_SECONDS: Final = 1.5
LISTEN_SECONDS: Final = 2.0
MOST_DETAIL_CHARS: Final = 500
# What says that this pod's word does not count, now or ever.
_REFUSED: Final = (404, 409)
# A lease takes three missed heartbeats.
_BEATS: Final = 3
_OK: Final = 200


class Superseded(Exception):
    """The job is another's, or has ended, or the lease is over: nothing of ours counts."""


class Unreachable(Exception):
    """The product did not answer as it should; says how."""


class Backend:
    """Reports of one pod, in order; `stop` is set when the product wants the crawl to end."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        token: int,
        identity: Identity,
        stop: asyncio.Event,
    ) -> None:
        self._http = http
        self._url = url
        self._token = token
        self._identity = identity
        self._stop = stop
        self._lease_seconds = float("inf")
        self._heard_at = time.monotonic()
        self._lost = asyncio.Event()
        self._listening = asyncio.Lock()
        self._listened_at = self._heard_at
        self.pace = SharedPace(OwnPace(), self.listen)

    @property
    def beat_seconds(self) -> float:
        """How often it has to be heard at least."""
        return self._lease_seconds / _BEATS

    async def order(self) -> Order:
        """What this pod is to do, which makes the job its own; raises Superseded, Unreachable."""
        answer = await self._insisted(PodReport(token=self._token, order=True), CALL_SECONDS * 6)
        if answer.order is None:
            raise Unreachable("the answer holds no order")
        return answer.order

    async def progress(self, progress: Progress) -> None:
        """As Reports says; one that is lost is made up for by the next."""
        try:
            await self._told(PodReport(token=self._token, progress=progress))
        except Unreachable as error:
            log.warning("pod.report_lost", extra={"reason": str(error)})
        except Superseded:
            self._lost.set()

    async def listen(self) -> None:
        """Has the pace hear what other pods told, unless that was so lately and ours is told.

        Never returns to a pod that has lost its job.
        """
        if not self._deaf():
            return
        async with self._listening:
            if not self._deaf():
                return
            self._listened_at = time.monotonic()
            try:
                async with asyncio.timeout(LISTEN_SECONDS):
                    await self._told(PodReport(token=self._token))
            except (Unreachable, TimeoutError) as error:
                log.warning("pod.nothing_heard", extra={"reason": str(error)})
            except Superseded:
                self._lost.set()
        if self._lost.is_set():
            # Not a page more: whoever holds the work is about to break it off.
            await asyncio.Event().wait()

    def _deaf(self) -> bool:
        last = max(self._heard_at, self._listened_at)
        return self.pace.news or time.monotonic() - last > FRESH_SECONDS

    async def ended(self, manifest: Manifest) -> None:
        """As Reports says; tries until the lease is over. Raises Superseded, Unreachable."""
        counts = manifest.counts
        done, failed = pages_behind(counts), counts.pages_failed
        seconds = (manifest.finished_at - manifest.started_at).total_seconds()
        rate = round(done / seconds, 2) if seconds > 0 else 0.0
        last = Progress(done, counts.pages_known, counts.products, rate, None, failed)
        result = Result(manifest.ending, manifest.whole, manifest.rows.rows, manifest.detail)
        report = PodReport(token=self._token, progress=last, result=result)
        await self._insisted(report, self._lease_seconds)

    async def failed(self, reason: str) -> None:
        """Tells that the crawl could not be begun, or broke; raises as `ended`."""
        report = PodReport(token=self._token, failed=reason[:MOST_DETAIL_CHARS])
        await self._insisted(report, self._lease_seconds)

    async def while_held(self, work: Awaitable[Manifest]) -> Manifest:
        """What `work` makes while this pod holds the job; raises Superseded, `work` cancelled.

        A pod that was not heard for a whole lease ends by itself, also one that was frozen.
        """
        working = asyncio.ensure_future(work)
        watching = asyncio.ensure_future(self._watch())
        try:
            await asyncio.wait((working, watching), return_when=asyncio.FIRST_COMPLETED)
            # Frozen in the middle, both may be over at once: then nothing of ours counts.
            if not working.done() or self._over():
                raise Superseded("the job is not this pod's any more")
            return working.result()
        finally:
            for task in (working, watching):
                task.cancel()
            await asyncio.gather(working, watching, return_exceptions=True)

    def _over(self) -> bool:
        return self._lost.is_set() or time.monotonic() - self._heard_at > self._lease_seconds

    async def _watch(self) -> None:
        while not self._over():
            left = self._heard_at + self._lease_seconds - time.monotonic()
            try:
                await asyncio.wait_for(self._lost.wait(), max(left, 0.05))
            except TimeoutError:
                continue

    async def _insisted(self, report: PodReport, seconds: float) -> PodAnswer:
        until = time.monotonic() + seconds
        pause = PAUSE_SECONDS
        while True:
            try:
                return await self._told(report)
            except Unreachable:
                if time.monotonic() + pause > until:
                    raise
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _told(self, report: PodReport) -> PodAnswer:
        # The lease is counted from before the call: the product's own begins later.
        asked_at = time.monotonic()
        report = msgspec.structs.replace(report, hosts=self.pace.words())
        status, body = await self._posted(msgspec.json.encode(report))
        if status in _REFUSED:
            raise Superseded(f"the product answers {status}")
        if status != _OK:
            raise Unreachable(f"the product answers {status}")
        try:
            answer = msgspec.json.decode(body, type=PodAnswer)
        except msgspec.MsgspecError as error:
            raise Unreachable(f"the answer cannot be read: {error}") from None
        self._heard_at = asked_at
        self._lease_seconds = answer.lease_seconds
        await self.pace.hear(answer.hosts)
        if answer.stop:
            self._stop.set()
        return answer

    async def _posted(self, body: bytes) -> tuple[int, bytes]:
        try:
            headers = {
                "Authorization": f"Bearer {await self._identity.token()}",
                "Content-Type": "application/json",
            }
            limit = aiohttp.ClientTimeout(total=CALL_SECONDS)
            async with self._http.post(
                self._url, data=body, headers=headers, timeout=limit, allow_redirects=False
            ) as answer:
                return answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unreachable(type(error).__name__) from error
