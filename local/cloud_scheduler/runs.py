"""One job and its runs: which slot is next, what is in flight, and when to try again."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from google.cloud import scheduler_v1

from local.cloud_scheduler.rules import next_slot, retry_policy
from local.delivery import Call, Sender
from shared.clock import Clock


@dataclass(slots=True)
class _Retry:
    at: datetime
    slot: datetime
    attempts: int
    first_attempt_at: datetime


class JobRuns:
    """Runs one job; `changed` is called whenever a run has ended."""

    def __init__(
        self, job: scheduler_v1.Job, sender: Sender, clock: Clock, changed: Callable[[], None]
    ) -> None:
        self._sender = sender
        self._clock = clock
        self._changed = changed
        self._attempts: set[asyncio.Task[None]] = set()
        self._retry: _Retry | None = None
        self.dispatched = 0
        self.failed = 0
        self.configure(job)

    @property
    def running(self) -> int:
        """How many attempts are in flight; more than one only where a run was forced."""
        return len(self._attempts)

    @property
    def enabled(self) -> bool:
        """Whether the job runs by its schedule."""
        return bool(self.job.state == scheduler_v1.Job.State.ENABLED)

    def configure(self, job: scheduler_v1.Job) -> None:
        """Take over a new definition or state; the schedule starts from now."""
        self.job = job
        self._retry = None
        self._slot = next_slot(job, self._clock())
        self._show_next()

    def tick(self, *, by_schedule: bool) -> None:
        """Start what is due, unless the previous run is still going on.

        Not `by_schedule`, a run that was forced and failed is still tried again.
        """
        now = self._clock()
        if self.running or not self.enabled:
            return
        if by_schedule and self._slot <= now:
            slot, self._retry = self._slot, None
            # Slots that passed meanwhile are one run, not many.
            self._slot = next_slot(self.job, now)
            self._start(slot, attempts=0, first_attempt_at=now)
        elif self._retry and self._retry.at <= now:
            retry, self._retry = self._retry, None
            self._start(retry.slot, retry.attempts, retry.first_attempt_at)

    def force(self) -> None:
        """Run at once, whatever the state; the call carries the time of the slot to come."""
        self._start(self._slot, attempts=0, first_attempt_at=self._clock())

    def busy(self) -> bool:
        """Whether an attempt is in flight or a failed one will be repeated."""
        return self.running > 0 or self._retry is not None

    def cancel(self) -> None:
        """Break off what is in flight."""
        for attempt in self._attempts:
            attempt.cancel()

    async def stop(self) -> None:
        """Likewise, and wait for its end."""
        self.cancel()
        await asyncio.gather(*self._attempts, return_exceptions=True)

    def _start(self, slot: datetime, attempts: int, first_attempt_at: datetime) -> None:
        attempt = asyncio.create_task(self._attempt(slot, attempts + 1, first_attempt_at))
        self._attempts.add(attempt)
        attempt.add_done_callback(self._attempts.discard)
        # After the discard above, so that whoever waits sees that nothing is in flight.
        attempt.add_done_callback(lambda _: self._changed())

    async def _attempt(self, slot: datetime, attempts: int, first_attempt_at: datetime) -> None:
        job = self.job
        job.last_attempt_time = self._clock()
        self.dispatched += 1
        outcome = await self._sender.send(_call(job, slot))
        job.status = {"code": outcome.rpc_code, "message": outcome.message}
        now = self._clock()
        self.failed += not outcome.succeeded
        if job is not self.job or not self.enabled:
            return
        policy = retry_policy(job.retry_config)
        age = (now - first_attempt_at).total_seconds()
        if not outcome.succeeded and not policy.exhausted(attempts, age):
            at = now + timedelta(seconds=policy.pause_seconds(attempts))
            # Google tries again only until the next slot.
            if at < self._slot:
                self._retry = _Retry(at, slot, attempts, first_attempt_at)
        self._show_next()

    def _show_next(self) -> None:
        self.job.schedule_time = self._retry.at if self._retry else self._slot


def _call(job: scheduler_v1.Job, slot: datetime) -> Call:
    target = job.http_target
    headers = dict(target.headers)
    if target.body and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "application/octet-stream"
    headers["User-Agent"] = "Google-Cloud-Scheduler"
    headers["X-CloudScheduler"] = "true"
    headers["X-CloudScheduler-JobName"] = job.name.rpartition("/")[2]
    headers["X-CloudScheduler-ScheduleTime"] = slot.astimezone(UTC).isoformat()
    return Call(
        method=scheduler_v1.HttpMethod(target.http_method).name,
        url=target.uri,
        headers=headers,
        body=target.body,
        deadline_seconds=job.attempt_deadline.total_seconds(),
        email=target.oidc_token.service_account_email,
        audience=target.oidc_token.audience,
    )
