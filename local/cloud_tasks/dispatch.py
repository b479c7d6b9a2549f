"""One queue at work: what is due, how fast it may go out, and what becomes of each attempt."""

import asyncio
import heapq
import itertools
import random
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from google.cloud import tasks_v2

from local.cloud_tasks.rules import retry_policy
from local.delivery import Call, Outcome, Sender


@dataclass(slots=True)
class Counts:
    """What a queue has done since it was made."""

    dispatched: int = 0
    succeeded: int = 0
    failed: int = 0
    given_up: int = 0
    repeated: int = 0
    last_error: str = ""


@dataclass(frozen=True, slots=True)
class Accidents:
    """What Cloud Tasks may do and seldom does: some deliveries twice, and none in order.

    `repeated_percent` of the attempts are sent a second time, up to `late_seconds` later; each task
    is late by up to as much.
    """

    repeated_percent: float = 0.0
    late_seconds: float = 0.0
    seed: int = 0


@dataclass(slots=True, eq=False)
class Entry:
    """A task in the queue; `eta` is the epoch second of its next attempt."""

    task: tasks_v2.Task
    eta: float
    first_attempt_at: float = 0.0
    last_outcome: Outcome | None = None


class _Bucket:
    """Tokens for dispatches, refilled evenly."""

    def __init__(self, limits: tasks_v2.RateLimits) -> None:
        self._rate = limits.max_dispatches_per_second
        self._size = limits.max_burst_size
        self._tokens = float(self._size)
        self._filled_at = time.monotonic()

    def wait_seconds(self) -> float:
        """How long until there is a token; 0 takes one."""
        now = time.monotonic()
        self._tokens = min(self._size, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
        if self._tokens < 1:
            return (1 - self._tokens) / self._rate
        self._tokens -= 1
        return 0.0


@dataclass(slots=True)
class _State:
    entries: dict[str, Entry] = field(default_factory=dict)
    taken_names: dict[str, float] = field(default_factory=dict)
    attempts: set[asyncio.Task[None]] = field(default_factory=set)


class Dispatcher:
    """Sends one queue's tasks; `changed` is set whenever something happened to one."""

    def __init__(
        self,
        queue: tasks_v2.Queue,
        sender: Sender,
        name_memory_seconds: float,
        changed: asyncio.Event,
    ) -> None:
        self.queue = queue
        self.counts = Counts()
        self._sender = sender
        self._name_memory_seconds = name_memory_seconds
        self._changed = changed
        self._state = _State()
        self._due: list[tuple[float, int, Entry]] = []
        self._order = itertools.count()
        self._wake = asyncio.Event()
        self._accidents = Accidents()
        self._lateness, self._repeats = _luck(0), _luck(0)
        self._bucket = _Bucket(queue.rate_limits)
        self._worker = asyncio.create_task(self._work())

    @property
    def running(self) -> int:
        """How many attempts are in flight."""
        return len(self._state.attempts)

    @property
    def entries(self) -> dict[str, Entry]:
        """The tasks that are neither done nor given up, by name."""
        return self._state.entries

    def configure(self, queue: tasks_v2.Queue) -> None:
        """Take over new settings or a new state."""
        # A pause must not refill the bucket.
        if queue.rate_limits != self.queue.rate_limits:
            self._bucket = _Bucket(queue.rate_limits)
        self.queue = queue
        self._announce()

    def disturb(self, accidents: Accidents) -> None:
        """Have these accidents from now on."""
        self._accidents = accidents
        # Each of its own, or how often a seed repeats would depend on when tasks come.
        self._lateness, self._repeats = _luck(accidents.seed), _luck(accidents.seed)

    def knows(self, name: str) -> bool:
        """Whether a task of that name is there, or was within the memory of names."""
        taken = self._state.taken_names
        now = time.monotonic()
        # Names are added in the order of their expiry, so the oldest come first.
        while taken and (oldest := next(iter(taken))) and taken[oldest] <= now:
            del taken[oldest]
        return name in self.entries or name in taken

    def add(self, task: tasks_v2.Task) -> Entry:
        """Put in a task, to be sent at its schedule time."""
        late_seconds = self._lateness.uniform(0, self._accidents.late_seconds)
        entry = Entry(task, task.schedule_time.timestamp() + late_seconds)
        self.entries[task.name] = entry
        self._schedule(entry)
        return entry

    def remove(self, name: str) -> None:
        """Forget the task but not its name; an attempt in flight goes on to its end."""
        del self.entries[name]
        self._state.taken_names[name] = time.monotonic() + self._name_memory_seconds
        self._announce()

    def purge(self) -> None:
        """Remove every task."""
        for name in list(self.entries):
            self.remove(name)

    def run_now(self, entry: Entry) -> None:
        """Send a task at once, whatever the queue's state, limits and schedule."""
        entry.eta = time.time()
        self._start(entry)

    def busy(self, horizon_seconds: float) -> bool:
        """Whether an attempt is in flight or one will start within the horizon."""
        until = time.time() + horizon_seconds
        paused = self.queue.state != tasks_v2.Queue.State.RUNNING
        return self.running > 0 or (
            not paused and any(entry.eta <= until for entry in self.entries.values())
        )

    def cancel(self) -> None:
        """End the worker and break off attempts in flight."""
        for job in (self._worker, *self._state.attempts):
            job.cancel()

    async def stop(self) -> None:
        """Likewise, and wait for their end."""
        self.cancel()
        await asyncio.gather(self._worker, *self._state.attempts, return_exceptions=True)

    def _announce(self) -> None:
        self._wake.set()
        self._changed.set()

    def _schedule(self, entry: Entry) -> None:
        heapq.heappush(self._due, (entry.eta, next(self._order), entry))
        self._announce()

    async def _work(self) -> None:
        while True:
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._dispatch_due()):
                    await self._wake.wait()

    def _dispatch_due(self) -> float | None:
        """Start what may start; returns the seconds until more may, None if only news helps."""
        limit = self.queue.rate_limits.max_concurrent_dispatches
        while self._due and self.running < limit:
            eta, _, entry = self._due[0]
            if self.entries.get(entry.task.name) is not entry or entry.eta != eta:
                heapq.heappop(self._due)
                continue
            if self.queue.state != tasks_v2.Queue.State.RUNNING:
                return None
            wait = max(0.0, eta - time.time()) or self._bucket.wait_seconds()
            if wait:
                return wait
            heapq.heappop(self._due)
            self._start(entry)
        return None

    def _start(self, entry: Entry) -> None:
        attempt = asyncio.create_task(self._attempt(entry))
        self._state.attempts.add(attempt)
        attempt.add_done_callback(self._state.attempts.discard)
        # After the discard above, so that the worker sees the freed place.
        attempt.add_done_callback(lambda _: self._announce())

    async def _attempt(self, entry: Entry) -> None:
        task = entry.task
        call = _call(entry)
        now = datetime.now(UTC)
        task.last_attempt = tasks_v2.Attempt(schedule_time=task.schedule_time, dispatch_time=now)
        if not task.dispatch_count:
            entry.first_attempt_at = now.timestamp()
            task.first_attempt = tasks_v2.Attempt(dispatch_time=now)
        task.dispatch_count += 1
        self.counts.dispatched += 1
        if self._repeats.uniform(0, 100) < self._accidents.repeated_percent:
            self._repeat(call)
        outcome = await self._sender.send(call)
        entry.last_outcome = outcome
        if outcome.status:
            task.response_count += 1
            task.last_attempt.response_time = datetime.now(UTC)
        task.last_attempt.response_status = {"code": outcome.rpc_code, "message": outcome.message}
        self._conclude(entry, outcome)

    def _repeat(self, call: Call) -> None:
        self.counts.repeated += 1
        late_seconds = self._lateness.uniform(0, self._accidents.late_seconds)

        async def send() -> None:
            await asyncio.sleep(late_seconds)
            await self._sender.send(call)

        repetition = asyncio.create_task(send())
        self._state.attempts.add(repetition)
        repetition.add_done_callback(self._state.attempts.discard)
        repetition.add_done_callback(lambda _: self._announce())

    def _conclude(self, entry: Entry, outcome: Outcome) -> None:
        task, now = entry.task, time.time()
        if outcome.succeeded:
            self.counts.succeeded += 1
        else:
            self.counts.failed += 1
            self.counts.last_error = f"{task.name.rpartition('/')[2]}: {outcome.message}"
        if self.entries.get(task.name) is not entry:
            return
        own = "retry_config" in task
        policy = retry_policy(task.retry_config if own else self.queue.retry_config)
        if outcome.succeeded:
            self.remove(task.name)
        elif policy.exhausted(task.dispatch_count, now - entry.first_attempt_at):
            self.counts.given_up += 1
            self.remove(task.name)
        else:
            entry.eta = now + policy.pause_seconds(task.dispatch_count)
            task.schedule_time = datetime.fromtimestamp(entry.eta, UTC)
            self._schedule(entry)


def _call(entry: Entry) -> Call:
    task, request = entry.task, entry.task.http_request
    _, _, _, _, _, queue_id, _, task_id = task.name.split("/")
    headers = dict(request.headers) | {
        "User-Agent": "Google-Cloud-Tasks",
        "X-CloudTasks-QueueName": queue_id,
        "X-CloudTasks-TaskName": task_id,
        "X-CloudTasks-TaskRetryCount": str(task.dispatch_count),
        "X-CloudTasks-TaskExecutionCount": str(task.response_count),
        "X-CloudTasks-TaskETA": f"{entry.eta:.6f}",
    }
    if entry.last_outcome:
        headers["X-CloudTasks-TaskPreviousResponse"] = str(entry.last_outcome.status)
    return Call(
        method=tasks_v2.HttpMethod(request.http_method).name,
        url=request.url,
        headers=headers,
        body=request.body,
        deadline_seconds=task.dispatch_deadline.total_seconds(),
        email=request.oidc_token.service_account_email,
        audience=request.oidc_token.audience,
    )


def _luck(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - luck, and no secret
