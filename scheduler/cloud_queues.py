"""The queues that the project has in Cloud Tasks, as `Queue`, and the calls that change them."""

from datetime import timedelta

from google.cloud import tasks_v2

from scheduler.queues import Queue
from shared.clients.tasks import client, errors_mapped, location_path, queue_path

# For one attempt; without retry=None Google's library would go on beyond it.
TIMEOUT_SECONDS = 10.0
_OURS = (
    "rate_limits.max_dispatches_per_second",
    "rate_limits.max_concurrent_dispatches",
    "retry_config.max_attempts",
    "retry_config.max_retry_duration",
    "retry_config.min_backoff",
    "retry_config.max_backoff",
    "retry_config.max_doublings",
)


def list_queues() -> list[Queue]:
    """Every queue of the project's region, foreign ones too; raises a DependencyError."""
    with errors_mapped("Cloud Tasks"):
        listed = client().list_queues(parent=location_path(), timeout=TIMEOUT_SECONDS, retry=None)
        return [_from_message(message) for message in listed]


def create_queue(queue: Queue) -> None:
    """Create a queue in the state that it states; raises a DependencyError."""
    with errors_mapped("Cloud Tasks"):
        client().create_queue(
            parent=location_path(), queue=_to_message(queue), timeout=TIMEOUT_SECONDS, retry=None
        )
    if queue.paused:
        pause_queue(queue.name)


def update_queue(queue: Queue) -> None:
    """Make a queue what `queue` states, except for its state; raises a DependencyError."""
    with errors_mapped("Cloud Tasks"):
        client().update_queue(
            request={"queue": _to_message(queue), "update_mask": {"paths": _OURS}},
            timeout=TIMEOUT_SECONDS,
            retry=None,
        )


def pause_queue(name: str) -> None:
    """Stop a queue from sending; raises a DependencyError."""
    with errors_mapped("Cloud Tasks"):
        client().pause_queue(name=queue_path(name), timeout=TIMEOUT_SECONDS, retry=None)


def resume_queue(name: str) -> None:
    """Let a queue send again; raises a DependencyError."""
    with errors_mapped("Cloud Tasks"):
        client().resume_queue(name=queue_path(name), timeout=TIMEOUT_SECONDS, retry=None)


def delete_queue(name: str) -> None:
    """Remove a queue with its tasks; its name stays unusable for days."""
    with errors_mapped("Cloud Tasks"):
        client().delete_queue(name=queue_path(name), timeout=TIMEOUT_SECONDS, retry=None)


def _to_message(queue: Queue) -> tasks_v2.Queue:
    return tasks_v2.Queue(
        name=queue_path(queue.name),
        rate_limits=tasks_v2.RateLimits(
            max_dispatches_per_second=queue.dispatches_per_second,
            max_concurrent_dispatches=queue.concurrent_dispatches,
        ),
        retry_config=tasks_v2.RetryConfig(
            max_attempts=queue.attempts,
            # With a duration too, Google would go on until both limits are reached.
            max_retry_duration=timedelta(),
            min_backoff=timedelta(seconds=queue.min_backoff_seconds),
            max_backoff=timedelta(seconds=queue.max_backoff_seconds),
            max_doublings=queue.max_doublings,
        ),
    )


def _from_message(message: tasks_v2.Queue) -> Queue:
    limits, retry = message.rate_limits, message.retry_config
    return Queue(
        name=message.name.rpartition("/")[2],
        dispatches_per_second=limits.max_dispatches_per_second,
        concurrent_dispatches=limits.max_concurrent_dispatches,
        attempts=retry.max_attempts,
        min_backoff_seconds=retry.min_backoff.total_seconds() if retry.min_backoff else 0.0,
        max_backoff_seconds=retry.max_backoff.total_seconds() if retry.max_backoff else 0.0,
        max_doublings=retry.max_doublings,
        paused=bool(message.state == tasks_v2.Queue.State.PAUSED),
    )
