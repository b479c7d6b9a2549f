"""What a request costs: Firestore reads and writes as Google bills them, Redis round trips.

The product has no hooks for it: the clients' own methods are wrapped, in this process only. The
shape of every query goes to the file that `LOCAL_QUERY_SHAPES` names, since the emulator answers
queries that production refuses for want of an index.
"""

import functools
import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SHAPES_FILE: Final = "LOCAL_QUERY_SHAPES"
SHAPES_NAME: Final = "query-shapes.ndjson"
READS: Final = "X-Local-Firestore-Reads"
WRITES: Final = "X-Local-Firestore-Writes"
REDIS_CALLS: Final = "X-Local-Redis-Calls"

# An aggregation bills one read for each so many index entries that it passes.
_ENTRIES_PER_READ: Final = 1000
_ASCENDING: Final = 1


@dataclass(slots=True)
class Counts:
    """The cost so far; threads that work for one request share it."""

    reads: int = 0
    writes: int = 0
    redis_calls: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, *, reads: int = 0, writes: int = 0, redis_calls: int = 0) -> None:
        """Count more."""
        with self._lock:
            self.reads += reads
            self.writes += writes
            self.redis_calls += redis_calls

    def headers(self) -> list[tuple[str, str]]:
        """The cost as response headers."""
        return [
            (READS, str(self.reads)),
            (WRITES, str(self.writes)),
            (REDIS_CALLS, str(self.redis_calls)),
        ]


class Shape(NamedTuple):
    """What of a query decides which index serves it."""

    collection: str
    equal: tuple[str, ...]
    contains: tuple[str, ...]
    unequal: tuple[str, ...]
    orders: tuple[tuple[str, str], ...]


_current: ContextVar[Counts | None] = ContextVar("counts", default=None)


def metered(app: "WSGIApplication") -> "WSGIApplication":
    """`app` with the cost of each answer among its headers."""

    def serve(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        counts = Counts()
        token = _current.set(counts)

        def start(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> Callable[[bytes], object]:
            return start_response(status, [*headers, *counts.headers()], exc_info)

        try:
            return app(environ, start)
        finally:
            _current.reset(token)

    return serve


@functools.cache
def install() -> None:
    """Wrap the clients of this process, once."""
    from google.cloud.firestore_v1.services.firestore.client import FirestoreClient
    from upstash_redis.http import SyncHttpClient

    _wrap(FirestoreClient, "run_query", _run_query)
    _wrap(FirestoreClient, "run_aggregation_query", _run_aggregation_query)
    _wrap(FirestoreClient, "batch_get_documents", _batch_get_documents)
    _wrap(FirestoreClient, "list_documents", _list_documents)
    _wrap(FirestoreClient, "commit", _write)
    _wrap(FirestoreClient, "batch_write", _write)
    _wrap(SyncHttpClient, "execute", _redis)
    # Pools that a request makes work at its expense, so they need its context.
    _wrap(ThreadPoolExecutor, "submit", _submit)


def _wrap(owner: type, name: str, around: Callable[..., Any]) -> None:
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
        return around(functools.partial(original, self), *args, **kwargs)

    setattr(owner, name, wrapped)


def _submit(
    call: Callable[..., Future[Any]], work: Callable[..., Any], /, *args: Any, **kwargs: Any
) -> Future[Any]:
    return call(copy_context().run, work, *args, **kwargs)


def _count(**more: int) -> None:
    counts = _current.get()
    if counts is not None:
        counts.add(**more)


def _run_query(call: Callable[..., Any], request: Any = None, **kwargs: Any) -> Iterator[Any]:
    query = _field(request, "structured_query")
    _record(_shape(query))
    # From the request, since the emulator does not tell how many it skipped when it finds none
    # beyond; that counts too many for a page beyond the end, and never too few.
    skipped = int(query.offset)
    return _billed(call(request, **kwargs), lambda r: int("document" in r), skipped, _current.get())


def _run_aggregation_query(
    call: Callable[..., Any], request: Any = None, **kwargs: Any
) -> Iterator[Any]:
    query = _field(request, "structured_aggregation_query").structured_query
    _record(_shape(query))

    def reads(response: Any) -> int:
        values = response.result.aggregate_fields.values()
        entries = max((value.integer_value for value in values), default=0) + int(query.offset)
        return int(-(-entries // _ENTRIES_PER_READ))

    return _billed(call(request, **kwargs), reads, 0, _current.get())


def _batch_get_documents(
    call: Callable[..., Any], request: Any = None, **kwargs: Any
) -> Iterator[Any]:
    def reads(response: Any) -> int:
        return int("found" in response or "missing" in response)

    return _billed(call(request, **kwargs), reads, 0, _current.get(), least=0)


def _billed(
    responses: Iterable[Any],
    reads: Callable[[Any], int],
    skipped: int,
    counts: Counts | None,
    least: int = 1,
) -> Iterator[Any]:
    """The responses, each counted; what the caller leaves unread was answered all the same."""
    waiting = iter(responses)
    found = 0
    try:
        for response in waiting:
            found += reads(response)
            yield response
    except GeneratorExit:
        found += sum(map(reads, waiting))
        raise
    finally:
        if counts is not None:
            counts.add(reads=max(least, found + skipped))


def _list_documents(call: Callable[..., Any], request: Any = None, **kwargs: Any) -> Iterator[Any]:
    counts = _current.get()
    for page in call(request, **kwargs).pages:
        if counts is not None:
            counts.add(reads=max(1, len(page.documents)))
        yield from page.documents


def _write(call: Callable[..., Any], request: Any = None, **kwargs: Any) -> Any:
    _count(writes=len(_field(request, "writes") or ()))
    return call(request, **kwargs)


def _redis(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    _count(redis_calls=1)
    return call(*args, **kwargs)


def _field(request: Any, name: str) -> Any:
    return request.get(name) if isinstance(request, dict) else getattr(request, name)


def _shape(query: Any) -> Shape:
    kinds: dict[str, set[str]] = {"equal": set(), "contains": set(), "unequal": set()}
    for path, kind in _filters(query.where):
        kinds[kind].add(path)
    return Shape(
        query.from_[0].collection_id,
        tuple(sorted(kinds["equal"])),
        tuple(sorted(kinds["contains"])),
        tuple(sorted(kinds["unequal"])),
        tuple(
            (
                order.field.field_path,
                "ASCENDING" if int(order.direction) <= _ASCENDING else "DESCENDING",
            )
            for order in query.order_by
        ),
    )


def _filters(where: Any) -> Iterator[tuple[str, str]]:
    if "composite_filter" in where:
        for part in where.composite_filter.filters:
            yield from _filters(part)
    elif "field_filter" in where:
        only = where.field_filter
        kind = {"EQUAL": "equal", "IN": "equal"}.get(only.op.name, "unequal")
        if only.op.name.startswith("ARRAY_CONTAINS"):
            kind = "contains"
        yield only.field.field_path, kind
    elif "unary_filter" in where:
        only = where.unary_filter
        yield only.field.field_path, "unequal" if "NOT" in only.op.name else "equal"


_recorded: set[Shape] = set()


def _record(shape: Shape) -> None:
    file = os.environ.get(SHAPES_FILE)
    if file is None or shape in _recorded:
        return
    _recorded.add(shape)
    with Path(file).open("a") as shapes:
        shapes.write(json.dumps(shape._asdict()) + "\n")
