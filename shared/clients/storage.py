"""Cloud Storage: objects of this product's bucket, its errors in our terms."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from shared.config import settings
from shared.errors import DependencyFailed, DependencyTimeout, DependencyUnavailable, NotFound

if TYPE_CHECKING:
    from google.cloud.storage import Bucket, Client

TIMEOUT_SECONDS = 30.0


class Stored(NamedTuple):
    """An object of the bucket, and when its content was written."""

    name: str
    written_at: datetime


@cache
def client() -> "Client":
    """The client, made on first use; the emulator takes anybody."""
    from google.cloud.storage import Client

    configured = settings()
    if configured.storage_emulator:
        from google.auth.credentials import AnonymousCredentials

        return Client(
            project=configured.project_id,
            credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
            client_options={"api_endpoint": configured.storage_emulator},
        )
    return Client(project=configured.project_id)


def bucket() -> "Bucket":
    """The product's own bucket; nothing is asked of Storage yet."""
    return client().bucket(settings().storage_bucket)


@contextmanager
def open_for_writing(name: str, content_type: str) -> Iterator[Any]:
    """A binary stream whose content becomes the object `name` once it is closed whole."""
    with _errors_mapped():
        blob = bucket().blob(name, chunk_size=1024 * 1024)
        with blob.open(
            "wb", content_type=content_type, ignore_flush=True, timeout=TIMEOUT_SECONDS
        ) as stream:
            yield stream


@contextmanager
def open_for_reading(name: str) -> Iterator[Any]:
    """A binary stream of the object's content, a mebibyte at a time; raises NotFound."""
    from google.api_core.exceptions import NotFound as NoObject

    with _errors_mapped():
        blob = bucket().blob(name, chunk_size=1024 * 1024)
        try:
            with blob.open("rb", timeout=TIMEOUT_SECONDS) as stream:
                yield stream
        except NoObject as error:
            raise NotFound("There is no such object.") from error


def put(name: str, content: bytes, content_type: str, cache_control: str) -> None:
    """Makes `content` the object `name`; the same again changes nothing."""
    with _errors_mapped():
        blob = bucket().blob(name)
        blob.cache_control = cache_control
        blob.upload_from_string(content, content_type=content_type, timeout=TIMEOUT_SECONDS)


def create(name: str, content: bytes, content_type: str, cache_control: str) -> bool:
    """Makes `content` the object `name` unless there is one; whether it is what lies there."""
    from google.api_core.exceptions import PreconditionFailed

    with _errors_mapped():
        blob = bucket().blob(name)
        blob.cache_control = cache_control
        try:
            blob.upload_from_string(
                content,
                content_type=content_type,
                timeout=TIMEOUT_SECONDS,
                if_generation_match=0,
            )
        except PreconditionFailed:
            # An earlier attempt of ours may have come through without its answer.
            return bool(blob.download_as_bytes(timeout=TIMEOUT_SECONDS) == content)
    return True


def read(name: str) -> bytes | None:
    """The object's content, None where there is none."""
    from google.api_core.exceptions import NotFound

    with _errors_mapped(), suppress(NotFound):
        content: bytes = bucket().blob(name).download_as_bytes(timeout=TIMEOUT_SECONDS)
        return content
    return None


def remove(name: str) -> None:
    """Removes the object, if it is there."""
    from google.api_core.exceptions import NotFound

    with _errors_mapped(), suppress(NotFound):
        bucket().blob(name).delete(timeout=TIMEOUT_SECONDS)


def pages(prefix: str, most: int) -> Iterator[list[Stored]]:
    """The objects whose names begin so, in order of name, at most `most` in a page."""
    with _errors_mapped():
        listed = client().list_blobs(
            settings().storage_bucket, prefix=prefix, page_size=most, timeout=TIMEOUT_SECONDS
        )
        for page in listed.pages:
            yield [Stored(blob.name, blob.updated) for blob in page]


def link(name: str, lifetime: timedelta, filename: str | None = None) -> str:
    """A time-limited link that shows the object, or downloads it as `filename`."""
    disposition = f'attachment; filename="{filename}"' if filename else None
    with _errors_mapped():
        blob = bucket().blob(name)
        configured = settings()
        if configured.storage_emulator:
            base = f"{configured.storage_emulator}/download/storage/v1/b/{blob.bucket.name}"
            return f"{base}/o/{_quoted(name)}?alt=media"
        return str(_signed(blob, lifetime, disposition))


def ping() -> None:
    """Asks for the bucket; raises a DependencyError."""
    with _errors_mapped():
        bucket().exists(timeout=2.0, retry=None)


@cache
def _credentials() -> Any:
    from google.auth import default

    return default()[0]


def _signed(blob: Any, lifetime: timedelta, disposition: str | None) -> str:
    """On Google Cloud no private key is at hand: IAM signs for the function's account."""
    from google.auth.transport.requests import Request

    credentials = _credentials()
    if not credentials.valid:
        credentials.refresh(Request())
    return str(
        blob.generate_signed_url(
            version="v4",
            expiration=lifetime,
            response_disposition=disposition,
            service_account_email=getattr(credentials, "service_account_email", None),
            access_token=credentials.token,
        )
    )


def _quoted(name: str) -> str:
    from urllib.parse import quote

    return quote(name, safe="")


@contextmanager
def _errors_mapped() -> Iterator[None]:
    from google.api_core import exceptions
    from requests.exceptions import ConnectionError as RequestsConnectionError
    from requests.exceptions import Timeout

    try:
        yield
    except (Timeout, exceptions.RetryError, exceptions.GatewayTimeout) as error:
        raise DependencyTimeout("Storage did not answer in time.") from error
    except (RequestsConnectionError, exceptions.ServiceUnavailable) as error:
        raise DependencyUnavailable("Storage cannot be reached.") from error
    except exceptions.GoogleAPICallError as error:
        raise DependencyFailed("Storage refused the call.") from error
