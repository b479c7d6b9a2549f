"""What is asked of Firestore, a line for each call, for LOG_LEVEL=DEBUG; imported only then.

The client offers no hook of its own, so the methods that send its calls are wrapped, once for the
process. Names of documents are not told: some of them are ids of sessions.
"""

import functools
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from shared.logs import masked

log = logging.getLogger(__name__)

SHOWN_CHARACTERS: Final = 60


@functools.cache
def install() -> None:
    """Wraps the client's class; what is wrapped already stays wrapped within."""
    from google.cloud.firestore_v1.services.firestore.client import FirestoreClient

    streamed: dict[str, tuple[Callable[[Any], dict[str, Any]], str]] = {
        "run_query": (lambda r: _query(r["structured_query"]), "document"),
        "run_aggregation_query": (
            lambda r: _query(r["structured_aggregation_query"].structured_query),
            "result",
        ),
        "batch_get_documents": (lambda r: _names(r["documents"]), "found"),
    }
    for name, (tell, held) in streamed.items():
        _wrap(FirestoreClient, name, _streamed(tell, held))
    for name in ("commit", "batch_write"):
        _wrap(FirestoreClient, name, _written)


def _wrap(owner: type, name: str, around: Callable[..., Any]) -> None:
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapped(self: Any, request: Any = None, **kwargs: Any) -> Any:
        send = functools.partial(original, self, request, **kwargs)
        return around(name, send, request) if log.isEnabledFor(logging.DEBUG) else send()

    setattr(owner, name, wrapped)


def _streamed(tell: Callable[[Any], dict[str, Any]], held: str) -> Callable[..., Any]:
    """Around a call whose responses hold a document each, if anything, as their field `held`."""

    def around(call: str, send: Callable[[], Iterable[Any]], request: Any) -> Iterator[Any]:
        began = time.perf_counter()
        return _counted(call, send(), held, tell(request), began)

    return around


def _counted(
    call: str, responses: Iterable[Any], held: str, told: dict[str, Any], began: float
) -> Iterator[Any]:
    documents = 0
    try:
        for response in responses:
            documents += held in response
            yield response
    finally:
        _log(call, began, {**told, "documents": documents})


def _written(call: str, send: Callable[[], Any], request: Any) -> Any:
    began = time.perf_counter()
    # The library says it either way.
    writes = request["writes"] if isinstance(request, dict) else request.writes
    kinds = Counter(_collection(_target(write)) for write in writes or ())
    try:
        return send()
    finally:
        _log(call, began, {"writes": dict(kinds)})


def _log(call: str, began: float, told: dict[str, Any]) -> None:
    ms = round((time.perf_counter() - began) * 1000, 1)
    log.debug("Firestore", extra={"context": {"call": call, **told, "ms": ms}})


def _query(query: Any) -> dict[str, Any]:
    return {
        "collection": query.from_[0].collection_id,
        "filters": list(_filters(query.where)),
        "order": [order.field.field_path for order in query.order_by],
        "limit": query.limit or None,
    }


def _names(paths: Iterable[str]) -> dict[str, Any]:
    kinds = Counter(map(_collection, paths))
    return {"collection": ", ".join(kinds), "filters": ["by name"], "limit": kinds.total()}


def _filters(where: Any) -> Iterator[str]:
    if "composite_filter" in where:
        for part in where.composite_filter.filters:
            yield from _filters(part)
    elif "field_filter" in where:
        only = where.field_filter
        path = only.field.field_path
        yield f"{path} {only.op.name} {_value(path, only.value)}"
    elif "unary_filter" in where:
        yield f"{where.unary_filter.field.field_path} {where.unary_filter.op.name}"


def _value(path: str, value: Any) -> str:
    """A filter's value, but no text with an @ in it and no id of a document."""
    kind = type(value).pb(value).WhichOneof("value_type")
    if kind == "reference_value":
        return "a document"
    text = str(masked(getattr(value, kind), path)).replace("\n", " ")
    return "***" if "@" in text else text[:SHOWN_CHARACTERS]


def _target(write: Any) -> str:
    return str(write.update.name or write.delete or write.transform.document)


def _collection(name: str) -> str:
    """The last collection on a document's path."""
    return name.split("/")[-2] if "/" in name else name
