"""Cloud Storage as a pod's store, by its JSON interface: whole objects, each created once."""

import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Final
from urllib.parse import quote, urlencode

import httpcore
import msgspec

from crawler_pod import metadata

STORAGE: Final = "https://storage.googleapis.com"
ATTEMPTS: Final = 4
PAUSE_SECONDS: Final = 0.5
_TIMEOUTS: Final = {"connect": 5.0, "read": 60.0, "write": 60.0, "pool": 5.0}
_CHUNK_BYTES: Final = 256 * 1024
# In memory so far, on the pod's scratch volume beyond that.
_SPOOLED_BYTES: Final = 8 * 1024 * 1024
_OK, _PRECONDITION_FAILED, _TOO_MANY, _SERVER = 200, 412, 429, 500
_ROWS_CACHE: Final = "private, no-store"


class StoringFailed(Exception):
    """Storage did not take an object; says why."""


class Bucket:
    """Objects of one bucket, in the shape of the Store protocol.

    What is written is gathered here and sent as one object once it is whole.
    """

    def __init__(self, name: str, url: str = STORAGE, metadata_url: str = metadata.SERVER) -> None:
        self._url = url.rstrip("/")
        self._bucket = quote(name, safe="")
        self._metadata_url = metadata_url
        self._pool = httpcore.ConnectionPool()
        self._token: tuple[str, float] = ("", 0.0)

    @contextmanager
    def open_for_writing(self, name: str, content_type: str) -> Iterator[Any]:
        """As Store says; raises StoringFailed."""
        with tempfile.SpooledTemporaryFile(max_size=_SPOOLED_BYTES) as spool:
            yield spool
            # A name of this pod's own, so that one that is there is an earlier attempt of ours.
            self._created(name, spool, content_type, _ROWS_CACHE)

    def create(self, name: str, content: bytes, content_type: str, cache_control: str) -> bool:
        """As Store says; raises StoringFailed."""
        with tempfile.SpooledTemporaryFile(max_size=_SPOOLED_BYTES) as spool:
            spool.write(content)
            if self._created(name, spool, content_type, cache_control):
                return True
        return self._read(name) == content

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def _created(self, name: str, content: IO[bytes], content_type: str, cached: str) -> bool:
        """Whether it is new; False where an object of that name is there."""
        query = urlencode({"uploadType": "multipart", "name": name, "ifGenerationMatch": "0"})
        url = f"{self._url}/upload/storage/v1/b/{self._bucket}/o?{query}"
        about = {"name": name, "contentType": content_type, "cacheControl": cached}
        mark = f"part-{secrets.token_hex(16)}"
        headers = {"Content-Type": f"multipart/related; boundary={mark}"}
        status, _ = self._insisted("POST", url, headers, _Parts(mark, about, content))
        return status != _PRECONDITION_FAILED

    def _read(self, name: str) -> bytes:
        url = f"{self._url}/storage/v1/b/{self._bucket}/o/{quote(name, safe='')}?alt=media"
        return self._insisted("GET", url, {}, None)[1]

    def _insisted(
        self, method: str, url: str, headers: dict[str, str], parts: "_Parts | None"
    ) -> tuple[int, bytes]:
        """The status, which is 200 or 412, and the body; raises StoringFailed."""
        trouble = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(PAUSE_SECONDS * 2**attempt)
            try:
                answer = self._asked(method, url, headers, parts)
            except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as e:
                trouble = type(e).__name__
                continue
            except OSError as error:
                trouble = str(error)
                continue
            if answer.status in (_OK, _PRECONDITION_FAILED):
                return answer.status, answer.content
            trouble = f"it answers {answer.status}"
            if answer.status != _TOO_MANY and answer.status < _SERVER:
                break
        raise StoringFailed(f"Storage did not take the result: {trouble}")

    def _asked(
        self, method: str, url: str, headers: dict[str, str], parts: "_Parts | None"
    ) -> httpcore.Response:
        sent = {**headers, "Authorization": f"Bearer {self._signed_in()}"}
        if parts is not None:
            sent["Content-Length"] = str(parts.size_bytes)
        content = iter(parts) if parts is not None else None
        return self._pool.request(
            method,
            url,
            headers=list(sent.items()),
            content=content,
            extensions={"timeout": _TIMEOUTS},
        )

    def _signed_in(self) -> str:
        token, good_until = self._token
        if time.monotonic() > good_until:
            token, seconds = metadata.access_token(self._pool, self._metadata_url)
            self._token = token, time.monotonic() + max(seconds - 60, 0)
        return token


class _Parts:
    """An upload's body: what the object is, and its content from the beginning each time."""

    def __init__(self, mark: str, about: dict[str, str], content: IO[bytes]) -> None:
        head = f"--{mark}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n".encode()
        kind = f"\r\n--{mark}\r\nContent-Type: {about['contentType']}\r\n\r\n".encode()
        self._head = head + msgspec.json.encode(about) + kind
        self._tail = f"\r\n--{mark}--\r\n".encode()
        self._content = content
        content.seek(0, 2)
        self.size_bytes = len(self._head) + content.tell() + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        self._content.seek(0)
        yield self._head
        while chunk := self._content.read(_CHUNK_BYTES):
            yield chunk
        yield self._tail
