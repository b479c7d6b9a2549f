"""Declares the functions that no person calls: tasks, schedules and document triggers."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import flask
import msgspec

from shared.edge.declaration import Function, ServiceAccount
from shared.edge.endpoint import DECLARATION, method_of, served
from shared.edge.request import Request

if TYPE_CHECKING:
    from cloudevents.http import CloudEvent

log = logging.getLogger(__name__)

HttpFunction = Callable[[flask.Request], flask.Response]
SECRETS = ("SECRET_KEY", "UPSTASH_REDIS_REST_TOKEN")


class DocumentChange(msgspec.Struct, frozen=True):
    """What happened to one document; `commit_micros` orders changes by Firestore's own clock."""

    parameters: dict[str, str]
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    commit_micros: int
    event_id: str


def task(  # noqa: PLR0913 - each is one fact that is stated here and nowhere else
    name: str,
    *,
    queue: str,
    memory_mb: int = 256,
    timeout_seconds: int = 540,
    concurrency: int = 20,
    service_account: ServiceAccount = "background",
    secrets: tuple[str, ...] = (),
    given_up: Callable[[Request[Any]], None] | None = None,
) -> Callable[[Callable[[Request[Any]], None]], HttpFunction]:
    """A function that Cloud Tasks calls from `queue`: raising means again, returning means done.

    `secrets` are those beyond the usual; `given_up` tells whoever waits that the work failed for
    good, or for the last time.
    """

    def declare(handler: Callable[[Request[Any]], None]) -> HttpFunction:
        declaration = Function(
            name=name,
            kind="task",
            queue=queue,
            memory_mb=memory_mb,
            timeout_seconds=timeout_seconds,
            concurrency=concurrency,
            service_account=service_account,
            secrets=(*SECRETS, *secrets),
            doc=handler.__doc__ or "",
        )
        declaration.methods["POST"] = _internal(
            _recording_dead_letters(declaration, handler, given_up),
            refused=_recording_refused(declaration),
        )
        return served(declaration)

    return declare


def schedule(
    name: str,
    *,
    memory_mb: int = 256,
    timeout_seconds: int = 300,
    service_account: ServiceAccount = "background",
    secrets: tuple[str, ...] = (),
) -> Callable[[Callable[[Request[None]], None]], HttpFunction]:
    """A function that Cloud Scheduler calls; when, the scheduler's own declaration says."""

    def declare(handler: Callable[[Request[None]], None]) -> HttpFunction:
        declaration = Function(
            name=name,
            kind="schedule",
            memory_mb=memory_mb,
            timeout_seconds=timeout_seconds,
            concurrency=1,
            service_account=service_account,
            secrets=(*SECRETS, *secrets),
            doc=handler.__doc__ or "",
        )
        declaration.methods["POST"] = _internal(handler)
        return served(declaration)

    return declare


def trigger(
    name: str,
    *,
    document: str,
    memory_mb: int = 256,
    timeout_seconds: int = 60,
    service_account: ServiceAccount = "background",
) -> Callable[[Callable[[DocumentChange], None]], Callable[["CloudEvent"], None]]:
    """A function that runs after each write of a document that fits `document`."""

    def declare(handler: Callable[[DocumentChange], None]) -> Callable[["CloudEvent"], None]:
        declaration = Function(
            name=name,
            kind="firestore",
            document=document,
            memory_mb=memory_mb,
            timeout_seconds=timeout_seconds,
            concurrency=40,
            service_account=service_account,
            secrets=SECRETS,
            doc=handler.__doc__ or "",
        )

        def receive(event: "CloudEvent") -> None:
            from shared.edge import document_events

            document_events.receive(declaration, handler, event)

        receive.__name__ = receive.__qualname__ = name
        setattr(receive, DECLARATION, declaration)
        return receive

    return declare


def _internal(handler: Callable[..., None], **facts: Any) -> Any:
    facts |= {"role": "internal", "limit": "instance", "csrf": False}
    return method_of("POST", handler, facts)


def _recording_dead_letters(
    declaration: Function,
    handler: Callable[[Request[Any]], None],
    given_up: Callable[[Request[Any]], None] | None,
) -> Callable[[Request[Any]], None]:
    def run(request: Request[Any]) -> None:
        try:
            handler(request)
        except Exception as error:  # noqa: BLE001 - whatever it was, somebody may be waiting
            from shared.edge import task_failures

            task_failures.settle(declaration, request, error, given_up)

    run.__annotations__ = handler.__annotations__
    run.__doc__ = handler.__doc__
    return run


def _recording_refused(declaration: Function) -> Callable[[bytes, Exception], None]:
    def record(body: bytes, error: Exception) -> None:
        from shared.edge import dead_letters

        text = body.decode(errors="replace")
        dead_letters.record(declaration.name, declaration.queue or "", text, error)

    return record
