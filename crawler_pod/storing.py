"""The rows and the manifest of a crawl, written so that a killed pod leaves nothing that counts."""

import gzip
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self

import msgspec

from shared.crawling.recipes import Job
from shared.crawling.results import Manifest, Row, StoredRows, manifest_name, rows_name

ROWS_TYPE: Final = "application/gzip"
# A hundredth larger than the smallest, in half the time.
_LEVEL: Final = 6
_NO_CACHE: Final = "private, no-store"


class Store(Protocol):
    """Where objects go; shared.clients.storage is one, and a folder another."""

    def open_for_writing(self, name: str, content_type: str) -> AbstractContextManager[Any]:
        """A binary stream whose content becomes the object once it is closed whole."""

    def create(self, name: str, content: bytes, content_type: str, cache_control: str) -> bool:
        """Makes `content` the object `name` unless there is one; whether it is what lies there."""


class HandedOver(Exception):
    """Another pod has already handed over under this job's token."""


class Folder:
    """Objects as files below one folder, each there whole or not at all."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @contextmanager
    def open_for_writing(self, name: str, content_type: str) -> Iterator[Any]:  # noqa: ARG002 - a file has no type
        """As Store says."""
        with self._unfinished(name) as (unfinished, stream):
            yield stream
            _to_disk(stream)
            unfinished.replace(self._root / name)

    def create(self, name: str, content: bytes, content_type: str, cache_control: str) -> bool:  # noqa: ARG002 - likewise
        """As Store says."""
        path = self._root / name
        with self._unfinished(name) as (unfinished, stream):
            stream.write(content)
            _to_disk(stream)
            try:
                path.hardlink_to(unfinished)
            except FileExistsError:
                return path.read_bytes() == content
        return True

    @contextmanager
    def _unfinished(self, name: str) -> Iterator[tuple[Path, Any]]:
        path = self._root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.unfinished")
        try:
            with unfinished.open("wb") as stream:
                yield unfinished, stream
        finally:
            unfinished.unlink(missing_ok=True)


def _to_disk(stream: Any) -> None:
    stream.flush()
    os.fsync(stream.fileno())


class _Measured:
    """What is written passes through, counted and hashed."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self.size_bytes = 0

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        self.size_bytes += len(data)
        self._stream.write(data)
        return len(data)

    def flush(self) -> None:
        """The stream is flushed when it is closed."""

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


class RowsWriter:
    """The object of one crawl's rows; it exists once the writer is closed. Use as a context."""

    def __init__(self, store: Store, job: Job) -> None:
        self._store = store
        # Two pods may hold one token, and neither may write over the other's rows.
        self._name = rows_name(job, secrets.token_hex(4))
        self._encoder = msgspec.json.Encoder()
        self.rows = 0

    def __enter__(self) -> Self:
        self._open = ExitStack()
        stream = self._open.enter_context(self._store.open_for_writing(self._name, ROWS_TYPE))
        self._measured = _Measured(stream)
        # Without a time of its own the same rows are the same object.
        self._gzip = self._open.enter_context(
            gzip.GzipFile("", "wb", _LEVEL, self._measured, mtime=0)
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.__exit__(kind, error, trace)

    def write(self, row: Row) -> None:
        """Adds one line."""
        self._gzip.write(self._encoder.encode(row) + b"\n")
        self.rows += 1

    def stored(self) -> StoredRows:
        """What lies there now that the writer is closed."""
        measured = self._measured
        return StoredRows(self._name, measured.size_bytes, measured.sha256, self.rows)


def put_manifest(store: Store, job: Job, manifest: Manifest) -> None:
    """The last object of a crawl; raises HandedOver where another pod's lies there."""
    content = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    if not store.create(manifest_name(job), content, "application/json", _NO_CACHE):
        raise HandedOver("another pod has handed over under this token")
