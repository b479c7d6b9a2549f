"""Cloud Tasks: hands work to a private function, which gets it at least once."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Literal

from shared.clock import utc_now
from shared.config import settings
from shared.errors import DependencyFailed, DependencyTimeout, DependencyUnavailable

if TYPE_CHECKING:
    from google.cloud.tasks_v2 import CloudTasksClient, Queue

# Google disables a queue where the project may not use it any more.
QueueState = Literal["running", "paused", "disabled"]

TIMEOUT_SECONDS = 5.0
# gRPC waits up to two minutes before it looks for an emulator again that was away for a moment.
EMULATOR_CHANNEL_OPTIONS = (("grpc.max_reconnect_backoff_ms", 1000),)


@cache
def client() -> "CloudTasksClient":
    """The client, made on first use: importing its library takes as long as a cold start."""
    from google.cloud.tasks_v2 import CloudTasksClient

    emulator = settings().tasks_emulator
    if emulator is None:
        return CloudTasksClient()
    import grpc  # type: ignore[import-untyped]
    from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

    channel = grpc.insecure_channel(emulator, options=EMULATOR_CHANNEL_OPTIONS)
    return CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))


def enqueue(
    queue: str, function: str, body: bytes, *, name: str | None = None, delay_seconds: float = 0
) -> bool:
    """Have `function` called with the JSON `body`; False if a task of that name exists already.

    A name is letters, digits, - and _, and stays taken for about an hour after its task is done.
    Raises a DependencyError.
    """
    from google.api_core.exceptions import Conflict
    from google.cloud import tasks_v2

    configured = settings()
    parent = queue_path(queue)
    task = tasks_v2.Task(
        http_request=tasks_v2.HttpRequest(
            url=configured.function_url(function),
            headers={"Content-Type": "application/json"},
            body=body,
            oidc_token=tasks_v2.OidcToken(
                service_account_email=configured.tasks_invoker,
                audience=configured.audience(function),
            ),
        ),
    )
    if name is not None:
        task.name = f"{parent}/tasks/{name}"
    if delay_seconds > 0:
        task.schedule_time = utc_now() + timedelta(seconds=delay_seconds)
    with errors_mapped("Cloud Tasks"):
        try:
            client().create_task(parent=parent, task=task, timeout=TIMEOUT_SECONDS)
        except Conflict:
            return False
    return True


def queue_path(queue: str) -> str:
    """The full name of a queue of this project."""
    return f"{location_path()}/queues/{queue}"


def location_path() -> str:
    """The full name of the location that queues and jobs live in."""
    configured = settings()
    return f"projects/{configured.project_id}/locations/{configured.region}"


@contextmanager
def errors_mapped(service: str) -> Iterator[None]:
    """Turns Google's errors into ours, which name the `service`."""
    from google.api_core import exceptions
    from google.auth.exceptions import GoogleAuthError

    try:
        yield
    except (exceptions.DeadlineExceeded, exceptions.RetryError) as error:
        raise DependencyTimeout(f"{service} did not answer in time.") from error
    except (exceptions.ServiceUnavailable, exceptions.TooManyRequests) as error:
        raise DependencyUnavailable(f"{service} cannot be reached.") from error
    except exceptions.GoogleAPICallError as error:
        raise DependencyFailed(f"{service} refused the call.") from error
    except GoogleAuthError as error:
        raise DependencyUnavailable(f"{service} cannot be signed in to.") from error


def list_states() -> dict[str, QueueState]:
    """Each queue's state by its name; raises a DependencyError.

    How many tasks wait is told by no stable version of Google's interface.
    """
    with errors_mapped("Cloud Tasks"):
        listed = client().list_queues(
            request={"parent": location_path(), "page_size": 100}, timeout=2.0, retry=None
        )
        return {each.name.rpartition("/")[2]: _state_of(each) for each in listed}


def _state_of(queue: "Queue") -> QueueState:
    from google.cloud.tasks_v2 import Queue

    if queue.state == Queue.State.RUNNING:
        return "running"
    return "paused" if queue.state == Queue.State.PAUSED else "disabled"
