"""What Kubernetes' answers mean in our terms: what is an error, and what passes by itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import msgspec

from shared.errors import (
    DependencyFailed,
    DependencyRefused,
    DependencyTimeout,
    DependencyUnavailable,
)

_FORBIDDEN, _NOT_FOUND, _CONFLICT = 403, 404, 409
_REFUSED: Final = (400, 401, 403, 404, 405, 413, 415, 422)
# A conflict that is not about the name is two writers at one count of a quota.
_BUSY: Final = (408, 409, 429, 500, 502, 503, 504)
# As Kubernetes' own plugin words it; the reason is the same as that of a missing right.
_QUOTA: Final = "exceeded quota"


class QuotaExceeded(DependencyUnavailable):
    """The namespace holds as much as it may at present."""


def is_there(error: Any) -> bool:
    """Whether a Job of that name exists; a count of a quota that moved is a conflict too."""
    return error.status == _CONFLICT and _reason(error) == "AlreadyExists"


def is_absent(error: Any) -> bool:
    """Whether the Job is missing, rather than the namespace or the whole interface."""
    return error.status == _NOT_FOUND and _reason(error) == "NotFound"


@contextmanager
def errors_mapped() -> Iterator[None]:
    """Turns the client's errors into ours."""
    from kubernetes.client import ApiException
    from pydantic import ValidationError
    from urllib3.exceptions import HTTPError, NewConnectionError, TimeoutError  # noqa: A004 - as urllib3 names it

    try:
        yield
    except ApiException as error:
        raise _of_status(error) from error
    except HTTPError as error:
        # To urllib3 a connection that is refused is one that timed out.
        if isinstance(error, TimeoutError) and not isinstance(error, NewConnectionError):
            raise DependencyTimeout("Kubernetes did not answer in time.") from error
        raise DependencyUnavailable("Kubernetes cannot be reached.") from error
    except ValidationError as error:
        raise DependencyFailed("Kubernetes' answer cannot be read.") from error


def _of_status(error: Any) -> Exception:
    said = _message(error)
    if error.status == _FORBIDDEN and _QUOTA in said:
        return QuotaExceeded(f"The cluster's quota is used up: {said}")
    if error.status in _REFUSED:
        return DependencyRefused(f"Kubernetes refused the call ({error.status}): {said}")
    if error.status in _BUSY:
        return DependencyUnavailable(f"Kubernetes is busy ({error.status}).")
    return DependencyFailed(f"Kubernetes failed ({error.status}).")


def _message(error: Any) -> str:
    """What the server says of it, cut short; it names resources and no secrets."""
    return str(_status(error).get("message", error.reason or ""))[:300]


def _reason(error: Any) -> str:
    return str(_status(error).get("reason", ""))


def _status(error: Any) -> dict[str, Any]:
    """The Status object of an answer, empty where it is another server's page."""
    try:
        told = msgspec.json.decode(error.body or "{}")
    except (msgspec.DecodeError, TypeError):
        return {}
    return told if isinstance(told, dict) else {}
