"""What Cloud Scheduler refuses, what it fills in, and when a schedule is due next."""

import re
import uuid
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from google.cloud import scheduler_v1

from local.delivery import RetryPolicy
from local.rpc import invalid

_JOB_NAME = re.compile(r"projects/[^/]+/locations/[^/]+/jobs/[A-Za-z0-9_-]{1,500}")
_CRON_FIELDS = 5
_MOST_RETRIES = 5
_LONGEST_DEADLINE = timedelta(minutes=30)
_DEFAULT_DEADLINE = timedelta(minutes=3)
_METHODS_WITH_BODY = (
    scheduler_v1.HttpMethod.POST,
    scheduler_v1.HttpMethod.PUT,
    scheduler_v1.HttpMethod.PATCH,
)


def completed_job(
    job: scheduler_v1.Job, parent: str, shortest_deadline: timedelta
) -> scheduler_v1.Job:
    """`job` named and with Google's defaults filled in; raises Refused where it is not allowed."""
    job.name = job.name or f"{parent}/jobs/{uuid.uuid4().int % 10**20:020}"
    if not (job.name.startswith(f"{parent}/jobs/") and _JOB_NAME.fullmatch(job.name)):
        raise invalid(f"Job name must be formatted {parent}/jobs/<JOB_ID>: letters, digits, -, _")
    _check_target(job.http_target)
    job.time_zone = job.time_zone or "Etc/UTC"
    next_slot(job, datetime.now(UTC))
    job.attempt_deadline = job.attempt_deadline or _DEFAULT_DEADLINE
    if not shortest_deadline <= job.attempt_deadline <= _LONGEST_DEADLINE:
        raise invalid("Job.attempt_deadline must be between 15s and 30m.")
    retry = job.retry_config
    if not 0 <= retry.retry_count <= _MOST_RETRIES:
        raise invalid("RetryConfig.retry_count must be from 0 to 5.")
    job.retry_config = scheduler_v1.RetryConfig(
        retry_count=retry.retry_count,
        max_retry_duration=retry.max_retry_duration or timedelta(),
        min_backoff_duration=retry.min_backoff_duration or timedelta(seconds=5),
        max_backoff_duration=retry.max_backoff_duration or timedelta(hours=1),
        max_doublings=retry.max_doublings or 5,
    )
    return job


def next_slot(job: scheduler_v1.Job, after: datetime) -> datetime:
    """The first time after `after` that the schedule names; raises Refused where it names none."""
    try:
        zone = ZoneInfo(job.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise invalid(f"Job.time_zone {job.time_zone!r} is not in the tz database.") from None
    if len(job.schedule.split()) != _CRON_FIELDS:
        raise invalid(f"Job.schedule {job.schedule!r} must have five fields.")
    try:
        return next(CronSim(job.schedule, after.astimezone(zone))).astimezone(UTC)
    except (CronSimError, StopIteration) as error:
        raise invalid(f"Job.schedule {job.schedule!r} is not a schedule: {error}") from None


def retry_policy(retry: scheduler_v1.RetryConfig) -> RetryPolicy:
    """The policy that a completed RetryConfig describes."""
    return RetryPolicy(
        attempts=retry.retry_count + 1,
        duration_seconds=retry.max_retry_duration.total_seconds(),
        shortest_seconds=retry.min_backoff_duration.total_seconds(),
        longest_seconds=retry.max_backoff_duration.total_seconds(),
        doublings=retry.max_doublings,
    )


def _check_target(target: scheduler_v1.HttpTarget) -> None:
    if not target.uri.startswith(("http://", "https://")):
        raise invalid("Job.http_target is required, with a uri that starts with http or https.")
    # Google shows this header among the job's own.
    target.headers["User-Agent"] = "Google-Cloud-Scheduler"
    if not target.http_method:
        target.http_method = scheduler_v1.HttpMethod(scheduler_v1.HttpMethod.POST)
    if target.body and target.http_method not in _METHODS_WITH_BODY:
        raise invalid("A body is allowed with POST, PUT and PATCH only.")
    if target.oidc_token.audience and not target.oidc_token.service_account_email:
        raise invalid("OidcToken.service_account_email is required.")
