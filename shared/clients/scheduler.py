"""Cloud Scheduler: jobs that call a private function at set times, sometimes twice."""

from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from shared.clients.tasks import EMULATOR_CHANNEL_OPTIONS, errors_mapped, location_path
from shared.config import settings

if TYPE_CHECKING:
    from google.cloud.scheduler_v1 import CloudSchedulerClient
    from google.cloud.scheduler_v1 import Job as Message

# Google's library repeats reads for ten minutes whatever the timeout, which is for one attempt:
# every call here says retry=None too.
TIMEOUT_SECONDS = 10.0
# All that a Job holds, except its state, which has calls of its own.
_OURS = ("description", "schedule", "time_zone", "http_target", "attempt_deadline", "retry_config")


class Job(msgspec.Struct, frozen=True):
    """A job that POSTs JSON to `url` with an identity token of `invoker` for `audience`."""

    name: str
    description: str
    schedule: str
    time_zone: str
    url: str
    invoker: str
    audience: str
    body: bytes
    attempt_deadline_seconds: float
    retries: int
    paused: bool


class JobRun(msgspec.Struct, frozen=True):
    """A job and its last run: None where there was none yet, no error where it went well."""

    name: str
    url: str
    paused: bool
    last_run_at: datetime | None
    error: str | None


@cache
def client() -> "CloudSchedulerClient":
    """The client, made on first use: importing its library takes as long as a cold start."""
    from google.cloud.scheduler_v1 import CloudSchedulerClient

    emulator = settings().scheduler_emulator
    if emulator is None:
        return CloudSchedulerClient()
    import grpc  # type: ignore[import-untyped]
    from google.cloud.scheduler_v1.services.cloud_scheduler.transports import (
        CloudSchedulerGrpcTransport,
    )

    channel = grpc.insecure_channel(emulator, options=EMULATOR_CHANNEL_OPTIONS)
    return CloudSchedulerClient(transport=CloudSchedulerGrpcTransport(channel=channel))


def list_jobs() -> list[Job]:
    """Every job of the project's region, foreign ones too; raises a DependencyError."""
    with errors_mapped("Cloud Scheduler"):
        listed = client().list_jobs(parent=location_path(), timeout=TIMEOUT_SECONDS, retry=None)
        return [_from_message(message) for message in listed]


def find_job(name: str) -> Job | None:
    """The job of that name, if there is one; raises a DependencyError."""
    from google.api_core.exceptions import NotFound

    with errors_mapped("Cloud Scheduler"):
        try:
            message = client().get_job(name=job_path(name), timeout=TIMEOUT_SECONDS, retry=None)
        except NotFound:
            return None
    return _from_message(message)


def create_job(job: Job) -> None:
    """Create a job in the state that it states; raises a DependencyError."""
    with errors_mapped("Cloud Scheduler"):
        client().create_job(
            parent=location_path(), job=_to_message(job), timeout=TIMEOUT_SECONDS, retry=None
        )
    if job.paused:
        pause_job(job.name)


def update_job(job: Job) -> None:
    """Make a job what `job` states, except for its state; raises a DependencyError."""
    with errors_mapped("Cloud Scheduler"):
        client().update_job(
            request={"job": _to_message(job), "update_mask": {"paths": _OURS}},
            timeout=TIMEOUT_SECONDS,
            retry=None,
        )


def pause_job(name: str) -> None:
    """Stop an enabled job from running by its schedule; raises a DependencyError."""
    with errors_mapped("Cloud Scheduler"):
        client().pause_job(name=job_path(name), timeout=TIMEOUT_SECONDS, retry=None)


def resume_job(name: str) -> None:
    """Let a paused job run by its schedule again; raises a DependencyError."""
    with errors_mapped("Cloud Scheduler"):
        client().resume_job(name=job_path(name), timeout=TIMEOUT_SECONDS, retry=None)


def delete_job(name: str) -> None:
    """Remove a job; raises a DependencyError."""
    with errors_mapped("Cloud Scheduler"):
        client().delete_job(name=job_path(name), timeout=TIMEOUT_SECONDS, retry=None)


def list_runs() -> list[JobRun]:
    """What became of each job's last run, foreign ones too; raises a DependencyError."""
    with errors_mapped("Cloud Scheduler"):
        listed = client().list_jobs(
            request={"parent": location_path(), "page_size": 100}, timeout=2.0, retry=None
        )
        return [_run_of(message) for message in listed]


def job_path(name: str) -> str:
    """The full name of a job of this project."""
    return f"{location_path()}/jobs/{name}"


def _to_message(job: Job) -> "Message":
    from google.cloud import scheduler_v1

    return scheduler_v1.Job(
        name=job_path(job.name),
        description=job.description,
        schedule=job.schedule,
        time_zone=job.time_zone,
        http_target=scheduler_v1.HttpTarget(
            uri=job.url,
            http_method=scheduler_v1.HttpMethod.POST,
            headers={"Content-Type": "application/json"},
            body=job.body,
            oidc_token=scheduler_v1.OidcToken(
                service_account_email=job.invoker, audience=job.audience
            ),
        ),
        attempt_deadline=timedelta(seconds=job.attempt_deadline_seconds),
        retry_config=scheduler_v1.RetryConfig(retry_count=job.retries),
    )


def _from_message(message: "Message") -> Job:
    from google.cloud.scheduler_v1 import Job as Message

    target = message.http_target
    deadline = message.attempt_deadline
    return Job(
        name=message.name.rpartition("/")[2],
        description=message.description,
        schedule=message.schedule,
        time_zone=message.time_zone,
        url=target.uri,
        invoker=target.oidc_token.service_account_email,
        audience=target.oidc_token.audience,
        body=target.body,
        attempt_deadline_seconds=deadline.total_seconds() if deadline else 0.0,
        retries=message.retry_config.retry_count,
        paused=bool(message.state == Message.State.PAUSED),
    )


def _run_of(message: "Message") -> JobRun:
    from google.cloud.scheduler_v1 import Job as Message

    attempted = message.last_attempt_time
    failed = message.status.code
    return JobRun(
        name=message.name.rpartition("/")[2],
        url=message.http_target.uri,
        paused=bool(message.state == Message.State.PAUSED),
        last_run_at=attempted or None,
        error=(message.status.message or f"code {failed}")[:200] if failed else None,
    )
