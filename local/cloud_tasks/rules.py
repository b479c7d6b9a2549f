"""What Cloud Tasks refuses, and what it fills in where a caller leaves something out."""

import re
import time
import uuid
from datetime import UTC, datetime, timedelta

from google.cloud import tasks_v2

from local.delivery import RetryPolicy
from local.rpc import invalid

QUEUE_NAME = re.compile(r"projects/[^/]+/locations/[^/]+/queues/(?P<id>[A-Za-z0-9-]{1,100})")
_TASK_ID = re.compile(r"[A-Za-z0-9_-]{1,500}")
_MAX_TASK_BYTES = 1_000_000
_MAX_URL_LENGTH = 2083
_MAX_AHEAD = timedelta(days=30)
_LONGEST_DEADLINE = timedelta(minutes=30)
_DEFAULT_DEADLINE = timedelta(minutes=10)
_MAX_DISPATCHES_PER_SECOND = 500
_MAX_CONCURRENT_DISPATCHES = 5000
_METHODS_WITH_BODY = (
    tasks_v2.HttpMethod.POST,
    tasks_v2.HttpMethod.PUT,
    tasks_v2.HttpMethod.PATCH,
)


def completed_queue(queue: tasks_v2.Queue) -> tasks_v2.Queue:
    """`queue` with Google's defaults filled in; raises Refused where a setting is out of bounds."""
    if not QUEUE_NAME.fullmatch(queue.name):
        raise invalid("Queue IDs can contain letters ([A-Za-z]), numbers ([0-9]) or hyphens (-).")
    limits, retry = queue.rate_limits, completed_retry(queue.retry_config)
    limits.max_dispatches_per_second = limits.max_dispatches_per_second or 500
    limits.max_concurrent_dispatches = limits.max_concurrent_dispatches or 1000
    if not 0 < limits.max_dispatches_per_second <= _MAX_DISPATCHES_PER_SECOND:
        raise invalid("RateLimits.max_dispatches_per_second must be above 0 and at most 500.")
    if not 0 < limits.max_concurrent_dispatches <= _MAX_CONCURRENT_DISPATCHES:
        raise invalid("RateLimits.max_concurrent_dispatches must be from 1 to 5,000.")
    limits.max_burst_size = max(10, int(limits.max_dispatches_per_second))
    return tasks_v2.Queue(
        name=queue.name,
        rate_limits=limits,
        retry_config=retry,
        state=queue.state or tasks_v2.Queue.State.RUNNING,
        purge_time=queue.purge_time,
    )


def completed_retry(retry: tasks_v2.RetryConfig) -> tasks_v2.RetryConfig:
    """`retry` with Google's defaults filled in; raises Refused where a setting is out of bounds."""
    completed = tasks_v2.RetryConfig(
        max_attempts=retry.max_attempts or 100,
        max_retry_duration=retry.max_retry_duration or timedelta(),
        min_backoff=retry.min_backoff or timedelta(seconds=0.1),
        max_backoff=retry.max_backoff or timedelta(hours=1),
        max_doublings=retry.max_doublings or 16,
    )
    if completed.max_attempts < -1:
        raise invalid("RetryConfig.max_attempts must be at least -1.")
    if completed.min_backoff > completed.max_backoff:
        raise invalid("RetryConfig.min_backoff must not be above max_backoff.")
    return completed


def retry_policy(retry: tasks_v2.RetryConfig) -> RetryPolicy:
    """The policy that a completed RetryConfig describes."""
    return RetryPolicy(
        attempts=retry.max_attempts,
        duration_seconds=retry.max_retry_duration.total_seconds(),
        shortest_seconds=retry.min_backoff.total_seconds(),
        longest_seconds=retry.max_backoff.total_seconds(),
        doublings=retry.max_doublings,
    )


def completed_task(task: tasks_v2.Task, queue: str, shortest_deadline: timedelta) -> tasks_v2.Task:
    """`task` named and with Google's defaults filled in; raises Refused where it is not allowed."""
    now = datetime.now(UTC)
    if len(tasks_v2.Task.serialize(task)) > _MAX_TASK_BYTES:
        raise invalid("Task size too large.")
    if task.name and not (
        task.name.startswith(f"{queue}/tasks/")
        and _TASK_ID.fullmatch(task.name.removeprefix(f"{queue}/tasks/"))
    ):
        raise invalid(f"Task name must be formatted {queue}/tasks/<TASK_ID>: letters, digits, -, _")
    _check_request(task.http_request)
    task.name = task.name or f"{queue}/tasks/{uuid.uuid4().int % 10**20:020}"
    task.schedule_time = max(task.schedule_time or now, now)
    if task.schedule_time > now + _MAX_AHEAD:
        raise invalid("ScheduleTime must be at most 30 days in the future.")
    task.create_time = datetime.fromtimestamp(int(time.time()), UTC)
    task.dispatch_deadline = task.dispatch_deadline or _DEFAULT_DEADLINE
    if not shortest_deadline <= task.dispatch_deadline <= _LONGEST_DEADLINE:
        raise invalid("Task.dispatch_deadline must be between 15s and 30m.")
    return task


def _check_request(request: tasks_v2.HttpRequest) -> None:
    if not request.url.startswith(("http://", "https://")) or len(request.url) > _MAX_URL_LENGTH:
        raise invalid("HttpRequest.url must start with http:// or https:// (at most 2083 long).")
    if not request.http_method:
        request.http_method = tasks_v2.HttpMethod(tasks_v2.HttpMethod.POST)
    if request.body and request.http_method not in _METHODS_WITH_BODY:
        raise invalid("A body is allowed with POST, PUT and PATCH only.")
    if request.oidc_token.audience and not request.oidc_token.service_account_email:
        raise invalid("OidcToken.service_account_email is required.")
