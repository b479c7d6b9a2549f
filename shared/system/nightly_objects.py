"""Objects of the nightly export: documents of a collection, one a line, compressed as they come."""

import gzip
import hashlib
from collections.abc import Iterator
from datetime import datetime
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore, storage
from shared.clock import rfc3339

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentSnapshot

PAGE_ROWS: Final = 500
CONTENT_TYPE: Final = "application/gzip"


class Written(msgspec.Struct):
    """An object that is whole: its lines, its size and the SHA-256 of its content as stored."""

    name: str
    collection: str
    rows: int
    bytes: int
    sha256: str


class _Measured:
    """A stream that knows what went through it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def write(self, data: bytes) -> int:
        self._digest.update(data)
        self.size_bytes += len(data)
        self._stream.write(data)
        return len(data)

    def flush(self) -> None:
        """The stream beneath sends by itself, a mebibyte at a time."""

    def sha256(self) -> str:
        return self._digest.hexdigest()


def write(name: str, collection: str, after: str | None, most: int) -> tuple[Written, str | None]:
    """Writes up to `most` documents after the id `after`; says the last id, None at the end.

    Memory holds one page of documents and a mebibyte of output, however many there are.
    """
    rows, last = 0, after
    with storage.open_for_writing(name, CONTENT_TYPE) as stream:
        measured = _Measured(stream)
        with gzip.GzipFile(fileobj=measured, mode="wb", mtime=0) as packed:
            for snapshot in islice(_documents(collection, after), most):
                packed.write(line(snapshot.id, snapshot.to_dict() or {}))
                rows, last = rows + 1, snapshot.id
    written = Written(name, collection, rows, measured.size_bytes, measured.sha256())
    return written, last if rows == most else None


def line(document_id: str, fields: dict[str, Any]) -> bytes:
    """A document as one line of JSON, its id first; moments as RFC 3339, bytes as base64."""
    return msgspec.json.encode({"id": document_id, **_plain(fields)}) + b"\n"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value


def _documents(collection: str, after: str | None) -> "Iterator[DocumentSnapshot[Any]]":
    documents = firestore.client().collection(collection)
    query = documents.order_by("__name__")
    if after is not None:
        query = query.start_after({"__name__": documents.document(after)})
    yield from chain.from_iterable(firestore.runs(query, PAGE_ROWS))
