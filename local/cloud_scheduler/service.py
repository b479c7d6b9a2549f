"""The calls of google.cloud.scheduler.v1.CloudScheduler, answered from memory."""

import asyncio
from contextlib import suppress
from datetime import timedelta

from google.cloud import scheduler_v1
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from local.cloud_scheduler.rules import completed_job
from local.cloud_scheduler.runs import JobRuns
from local.delivery import Sender
from local.oidc import Issuer
from local.rpc import RpcServer, already_exists, failed_precondition, merged, not_found, page
from shared.clock import Clock, utc_now


class CloudScheduler:
    """A Cloud Scheduler server on the running event loop; everything is lost when it stops.

    The clock is read every `tick_seconds`, so a test may put it forward by hand. Unless it runs
    `by_schedule`, only what is forced runs.
    """

    def __init__(
        self,
        issuer: Issuer,
        *,
        clock: Clock = utc_now,
        tick_seconds: float = 0.2,
        shortest_deadline_seconds: float = 15,
        by_schedule: bool = True,
    ) -> None:
        self._issuer = issuer
        self._clock = clock
        self._tick_seconds = tick_seconds
        self._by_schedule = by_schedule
        self._shortest_deadline = timedelta(seconds=shortest_deadline_seconds)
        self._jobs: dict[str, JobRuns] = {}
        self._stopping = asyncio.Event()
        self._changed = asyncio.Event()
        self._rpc = RpcServer(
            "google.cloud.scheduler.v1.CloudScheduler",
            (
                self.list_jobs,
                self.get_job,
                self.create_job,
                self.update_job,
                self.delete_job,
                self.pause_job,
                self.resume_job,
                self.run_job,
            ),
        )

    async def start(self, port: int = 0) -> int:
        """Listen on 127.0.0.1 and return the port; raises RuntimeError if it is taken."""
        self._sender = Sender(self._issuer)
        bound = await self._rpc.start(port)
        self._worker = asyncio.create_task(self._tick())
        return bound

    async def stop(self) -> None:
        """Stop listening and break off what is in flight."""
        await self._rpc.stop()
        self._stopping.set()
        await self._worker
        for job in self._jobs.values():
            await job.stop()
        await self._sender.close()

    async def idle(self) -> None:
        """Wait until nothing is in flight and nothing failed is to be tried again."""
        while any(job.busy() for job in self._jobs.values()):
            self._changed.clear()
            await self._changed.wait()

    def status(self) -> dict[str, list[dict[str, object]]]:
        """Each job with its state, its next time, and what became of the last run."""
        return {
            "jobs": [
                {
                    "name": name.rpartition("/")[2],
                    "state": scheduler_v1.Job.State(runs.job.state).name,
                    "schedule": runs.job.schedule,
                    "time_zone": runs.job.time_zone,
                    "next": runs.job.schedule_time.isoformat(),
                    "running": runs.running,
                    "dispatched": runs.dispatched,
                    "failed": runs.failed,
                    "last_error": runs.job.status.message,
                }
                for name, runs in sorted(self._jobs.items())
            ]
        }

    def routes(self) -> list[Route]:
        """`GET /scheduler`, the status as JSON."""
        return [Route("/scheduler", self._show)]

    async def _show(self, _: Request) -> JSONResponse:
        return JSONResponse(self.status())

    def list_jobs(self, request: scheduler_v1.ListJobsRequest) -> scheduler_v1.ListJobsResponse:
        """The jobs of a location, by name."""
        found = sorted(name for name in self._jobs if name.startswith(f"{request.parent}/"))
        names, token = page(found, request.page_size, request.page_token)
        return scheduler_v1.ListJobsResponse(
            jobs=[self._jobs[name].job for name in names], next_page_token=token
        )

    def get_job(self, request: scheduler_v1.GetJobRequest) -> scheduler_v1.Job:
        """One job."""
        return self._runs(request.name).job

    def create_job(self, request: scheduler_v1.CreateJobRequest) -> scheduler_v1.Job:
        """A new job, enabled."""
        job = completed_job(request.job, request.parent, self._shortest_deadline)
        if job.name in self._jobs:
            raise already_exists(f"Job {job.name} already exists.")
        job.state = scheduler_v1.Job.State(scheduler_v1.Job.State.ENABLED)
        job.user_update_time = self._clock()
        self._jobs[job.name] = JobRuns(job, self._sender, self._clock, self._changed.set)
        return job

    def update_job(self, request: scheduler_v1.UpdateJobRequest) -> scheduler_v1.Job:
        """The changed job; its state stays as it was."""
        runs = self._runs(request.job.name)
        changed = merged(scheduler_v1.Job, runs.job, request.job, request.update_mask)
        parent = changed.name.partition("/jobs/")[0]
        job = completed_job(changed, parent, self._shortest_deadline)
        job.state = runs.job.state
        job.user_update_time = self._clock()
        job.status, job.last_attempt_time = runs.job.status, runs.job.last_attempt_time
        runs.configure(job)
        return job

    def delete_job(self, request: scheduler_v1.DeleteJobRequest) -> None:
        """Removes a job."""
        runs = self._runs(request.name)
        del self._jobs[request.name]
        runs.cancel()

    def pause_job(self, request: scheduler_v1.PauseJobRequest) -> scheduler_v1.Job:
        """The job, which no longer runs by its schedule."""
        states = scheduler_v1.Job.State
        return self._set_state(request.name, states.ENABLED, states.PAUSED)

    def resume_job(self, request: scheduler_v1.ResumeJobRequest) -> scheduler_v1.Job:
        """The job, which runs by its schedule again."""
        states = scheduler_v1.Job.State
        return self._set_state(request.name, states.PAUSED, states.ENABLED)

    def run_job(self, request: scheduler_v1.RunJobRequest) -> scheduler_v1.Job:
        """The job, run at once, even if it is paused or already running."""
        runs = self._runs(request.name)
        runs.force()
        return runs.job

    def _runs(self, name: str) -> JobRuns:
        try:
            return self._jobs[name]
        except KeyError:
            raise not_found("Job not found.") from None

    def _set_state(self, name: str, before: int, after: int) -> scheduler_v1.Job:
        runs = self._runs(name)
        if runs.job.state != before:
            raise failed_precondition(f"The job must be {scheduler_v1.Job.State(before).name}.")
        runs.job.state = scheduler_v1.Job.State(after)
        runs.configure(runs.job)
        return runs.job

    async def _tick(self) -> None:
        while not self._stopping.is_set():
            for runs in self._jobs.values():
                runs.tick(by_schedule=self._by_schedule)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._tick_seconds):
                    await self._stopping.wait()
