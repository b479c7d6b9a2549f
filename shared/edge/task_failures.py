"""What becomes of a task that failed: another attempt or, where none is left or helps, its end."""

from collections.abc import Callable
from typing import Any

import msgspec

from shared.edge import dead_letters
from shared.edge.attempts import ATTEMPTS
from shared.edge.declaration import Function
from shared.edge.request import Request
from shared.errors import Conflict, ShoppleError, StaleVersion

GivenUp = Callable[[Request[Any]], None]


def settle(
    declaration: Function, request: Request[Any], error: Exception, given_up: GivenUp | None
) -> None:
    """Ends the task with a dead letter, or raises `error` again so that it is tried again."""
    queue = declaration.queue or ""
    # What nobody waits for is owed by the outbox beyond any last attempt.
    last = given_up is not None and request.retries + 1 >= ATTEMPTS[queue]
    if not last and not _permanent(error):
        raise error
    if given_up is not None:
        given_up(request)
    body = msgspec.json.encode(request.body).decode()
    dead_letters.record(declaration.name, queue, body, error)


def _permanent(error: Exception) -> bool:
    if not isinstance(error, ShoppleError) or isinstance(error, Conflict | StaleVersion):
        return False
    return not error.retryable
