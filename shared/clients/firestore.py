"""Firestore: the one client, and its errors in our terms."""

import logging
import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from shared.config import settings
from shared.errors import (
    Conflict,
    DependencyFailed,
    DependencyTimeout,
    DependencyUnavailable,
    NotFound,
)

if TYPE_CHECKING:
    from google.cloud.firestore import (
        Client,
        DocumentReference,
        DocumentSnapshot,
        Query,
        Transaction,
    )

T = TypeVar("T")
log = logging.getLogger(__name__)

# For a recount of all, which nobody waits for.
LONG_TIMEOUT_SECONDS = 40.0
RETRY_SECONDS = 3.0
# Of a transaction whose read met a lock.
READ_ATTEMPTS = 3
FIRST_WAIT_SECONDS = 0.05
# More documents in one call gain nothing.
READ_AT_ONCE = 300


@cache
def client() -> "Client":
    """The client, made on first use: importing Firestore costs more than serving from a cache."""
    from google.cloud.firestore import Client

    if log.isEnabledFor(logging.DEBUG):
        from shared.clients import firestore_trace

        firestore_trace.install()
    return Client(project=settings().project_id)


@cache
def limits(timeout_seconds: float | None = None) -> dict[str, Any]:
    """The `timeout` and `retry` of every call: by itself the client tries for minutes."""
    from google.api_core.exceptions import ServiceUnavailable
    from google.api_core.retry import Retry, if_exception_type

    retry = Retry(
        if_exception_type(ServiceUnavailable), initial=0.1, maximum=1.0, timeout=RETRY_SECONDS
    )
    return {"timeout": timeout_seconds or settings().firestore_timeout_seconds, "retry": retry}


@contextmanager
def errors_mapped() -> Iterator[None]:
    """Turns Google's errors into ours; Conflict stands for a precondition that no longer holds."""
    from google.api_core import exceptions

    try:
        yield
    except (exceptions.AlreadyExists, exceptions.FailedPrecondition, exceptions.Aborted) as error:
        raise Conflict("The document was changed meanwhile.") from error
    except exceptions.NotFound as error:
        raise NotFound("There is no such document.") from error
    except exceptions.DeadlineExceeded as error:
        raise DependencyTimeout("The database did not answer in time.") from error
    except (exceptions.ServiceUnavailable, exceptions.ResourceExhausted) as error:
        raise DependencyUnavailable("The database cannot be reached.") from error
    except exceptions.RetryError as error:
        raise DependencyUnavailable("The database cannot be reached.") from error
    except exceptions.GoogleAPICallError as error:
        raise DependencyFailed("The database refused the call.") from error


def in_transaction(run: "Callable[[Transaction], T]") -> T:
    """What `run` returns in a transaction, which may run it several times; raises Conflict."""
    from google.api_core.exceptions import Aborted

    with errors_mapped():
        for attempt in range(READ_ATTEMPTS):
            try:
                return _in_one_transaction(run)
            except Aborted:
                # The library begins again where a commit meets a lock, and not where a read does.
                time.sleep(random.uniform(0, FIRST_WAIT_SECONDS * 2**attempt))  # noqa: S311 - no secret
        return _in_one_transaction(run)


def _in_one_transaction(run: "Callable[[Transaction], T]") -> T:
    from google.api_core.exceptions import Aborted, FailedPrecondition, GoogleAPIError
    from google.cloud.firestore import transactional

    try:
        result: T = transactional(run)(client().transaction())
    except ValueError as error:
        # The library hides what ended its attempts, or kept it from beginning, behind this.
        cause = error.__cause__ or error.__context__
        if isinstance(cause, Aborted):
            raise FailedPrecondition("attempts used up") from cause  # type: ignore[no-untyped-call]
        if isinstance(cause, GoogleAPIError):
            raise cause from None
        raise
    return result


def store(before: "DocumentSnapshot[Any]", fields: dict[str, Any]) -> datetime:
    """Creates or updates the document that was read, says when; raises Conflict if it changed."""
    with errors_mapped():
        if before.exists:
            unchanged = client().write_option(last_update_time=before.update_time)
            result = before.reference.update(fields, option=unchanged, **limits())
        else:
            result = before.reference.create(fields, **limits())
    written: datetime = result.update_time
    return written


def existing(
    references: "Iterable[DocumentReference]",
    transaction: "Transaction | None" = None,
    fields: Iterable[str] | None = None,
) -> "Iterator[DocumentSnapshot[Any]]":
    """Those of the documents that there are, in no order: one read each, found or not.

    Of a transaction the errors are mapped around it: it has to see those that make it try again.
    """
    wanted = iter(references)
    while some := list(islice(wanted, READ_AT_ONCE)):
        with errors_mapped() if transaction is None else nullcontext():
            found = client().get_all(some, fields, transaction=transaction, **limits())
            yield from (snapshot for snapshot in found if snapshot.exists)


def runs(query: "Query", rows: int) -> "Iterator[list[DocumentSnapshot[Any]]]":
    """All that the query finds, `rows` documents at a time; the last run has fewer, or none."""
    while True:
        with errors_mapped():
            found = list(query.limit(rows).stream(**limits()))
        yield found
        if len(found) < rows:
            return
        query = query.start_after(found[-1])


def delete_all(query: "Query", rows: int) -> None:
    """Removes all that the query finds, `rows` documents in one commit."""
    # The document's name is all that a deletion needs.
    some = query.select([]).limit(rows)
    while True:
        with errors_mapped():
            found = list(some.stream(**limits()))
            batch = client().batch()
            for snapshot in found:
                batch.delete(snapshot.reference)
            batch.commit(**limits())
        if len(found) < rows:
            return


def count(query: "Query", timeout_seconds: float | None = None) -> int:
    """How many documents fit; billed as one read for each 1,000 index entries."""
    result: Any = query.count().get(**limits(timeout_seconds))
    return int(result[0][0].value)


def record_of(snapshot: "DocumentSnapshot[Any]", kind: type[T]) -> T | None:
    """The document as a struct, None where there is none; its moments stand at the top level."""
    import msgspec

    fields = snapshot.to_dict()
    if fields is None:
        return None
    # The client's own subclass of datetime is none to msgspec.
    plain = {
        name: datetime.fromtimestamp(value.timestamp(), value.tzinfo)
        if isinstance(value, datetime)
        else value
        for name, value in fields.items()
    }
    return msgspec.convert(plain, kind)


def ping() -> None:
    """Reads one absent document; raises a DependencyError."""
    with errors_mapped():
        client().document("health/ping").get(timeout=2.0, retry=None)
