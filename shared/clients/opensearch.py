"""OpenSearch: a search engine that may be away at any time, by documents of known versions."""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.config import settings
from shared.errors import (
    ConfigurationError,
    Conflict,
    DependencyFailed,
    DependencyTimeout,
    DependencyUnavailable,
    NotFound,
)

if TYPE_CHECKING:
    from opensearchpy import OpenSearch

# Somebody waits for a search, who has another way to be served.
SEARCH_SECONDS: Final = 1.0
WRITE_SECONDS: Final = 5.0
PING_SECONDS: Final = 2.0
# Nobody waits for a page of a whole catalogue.
BULK_SECONDS: Final = 60.0
# After a failure searches leave the server alone this long: one dead server costs one timeout.
REST_AFTER_FAILURE_SECONDS: Final = 5.0
_CONFLICT: Final = 409
_AWAY: Final = (429, 502, 503, 504)
_resting_until = 0.0


class Versioned(msgspec.Struct, frozen=True):
    """A document as it was at a version; of two with one id the higher version stays."""

    id: str
    version: int
    fields: Mapping[str, Any]


class Hit(msgspec.Struct, frozen=True):
    """A document that answers a question."""

    id: str
    fields: Mapping[str, Any]


@cache
def client() -> "OpenSearch":
    """The client, made on first use; raises ConfigurationError where none is configured."""
    from opensearchpy import OpenSearch

    url = settings().opensearch_url
    if url is None:
        raise ConfigurationError("OPENSEARCH_URL is missing: set it to the server's address.")
    # It tells each failure with a traceback, and so do we, in a line.
    logging.getLogger("opensearch").setLevel(logging.CRITICAL)
    return OpenSearch(url, timeout=WRITE_SECONDS, max_retries=0, retry_on_timeout=False)


def ping() -> None:
    """Asks the server who it is; raises a DependencyError."""
    with errors_mapped():
        client().info(params={"request_timeout": PING_SECONDS})


def search(index: str, question: Mapping[str, Any]) -> list[Hit]:
    """The documents that answer, best first; raises NotFound or a DependencyError at once."""
    global _resting_until  # noqa: PLW0603 - one breaker for the process, as there is one client
    if time.monotonic() < _resting_until:
        raise DependencyUnavailable("OpenSearch is resting after a failure.")
    try:
        with errors_mapped():
            answer = client().search(
                index=index, body=dict(question), params={"request_timeout": SEARCH_SECONDS}
            )
    except (DependencyUnavailable, DependencyTimeout):
        _resting_until = time.monotonic() + REST_AFTER_FAILURE_SECONDS
        raise
    return [Hit(hit["_id"], hit["_source"]) for hit in answer["hits"]["hits"]]


def put(alias: str, document: Versioned) -> bool:
    """Stores the document; False where its version or a later one is stored already.

    Raises NotFound where nothing has the alias, or a DependencyError.
    """
    how = {"version": document.version, "version_type": "external", "require_alias": "true"}
    try:
        with errors_mapped():
            client().index(index=alias, id=document.id, body=dict(document.fields), params=how)
    except Conflict:
        return False
    return True


def put_all(index: str, documents: Iterable[Versioned]) -> None:
    """Stores each document that is later than what is stored; raises a DependencyError."""
    lines: list[Mapping[str, Any]] = []
    for each in documents:
        how = {"_index": index, "_id": each.id, "version": each.version}
        lines += [{"index": how | {"version_type": "external"}}, each.fields]
    if not lines:
        return
    with errors_mapped():
        answer = client().bulk(body=lines, params={"request_timeout": BULK_SECONDS})
    for item in answer["items"]:
        told = item["index"]
        if "error" in told and told["status"] != _CONFLICT:
            raise DependencyFailed(f"OpenSearch refused a document: {told['error']['type']}.")


def create(index: str, definition: Mapping[str, Any]) -> None:
    """Makes an empty index; raises a DependencyError, also where there is one."""
    with errors_mapped():
        client().indices.create(index=index, body=dict(definition))


def exists(index: str) -> bool:
    """Whether there is such an index; raises a DependencyError."""
    with errors_mapped():
        return bool(client().indices.exists(index=index))


def behind(alias: str) -> list[str]:
    """The indexes that have the alias, none where nothing has; raises a DependencyError."""
    try:
        with errors_mapped():
            return sorted(client().indices.get_alias(name=alias))
    except NotFound:
        return []


def named(pattern: str) -> list[str]:
    """The indexes whose names fit, with * for anything; raises a DependencyError."""
    with errors_mapped():
        return sorted(client().indices.get(index=pattern))


def point(alias: str, index: str) -> None:
    """Gives the alias to `index` alone, in one step; raises a DependencyError."""
    old = [each for each in behind(alias) if each != index]
    actions: list[dict[str, Any]] = [{"remove": {"index": each, "alias": alias}} for each in old]
    actions.append({"add": {"index": index, "alias": alias}})
    with errors_mapped():
        client().indices.update_aliases(body={"actions": actions})


def refresh(index: str) -> None:
    """Makes searches see what was stored; raises a DependencyError."""
    with errors_mapped():
        client().indices.refresh(index=index)


def drop(index: str) -> None:
    """Removes an index with all that is in it; raises a DependencyError."""
    with errors_mapped():
        client().indices.delete(index=index)


@contextmanager
def errors_mapped() -> Iterator[None]:
    """Turns the library's errors into ours."""
    from opensearchpy import exceptions

    try:
        yield
    except exceptions.NotFoundError as error:
        raise NotFound("There is no such index.") from error
    except exceptions.ConflictError as error:
        raise Conflict("A later version is stored.") from error
    except exceptions.ConnectionTimeout as error:
        raise DependencyTimeout("OpenSearch did not answer in time.") from error
    except exceptions.ConnectionError as error:
        raise DependencyUnavailable("OpenSearch cannot be reached.") from error
    except exceptions.TransportError as error:
        if error.status_code in _AWAY:
            raise DependencyUnavailable("OpenSearch cannot be reached.") from error
        raise DependencyFailed("OpenSearch refused the call.") from error
    except exceptions.OpenSearchException as error:
        raise DependencyFailed("OpenSearch did not answer as it should.") from error
