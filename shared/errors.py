"""Every failure the product knows, with its HTTP status and whether trying again helps.

ShoppleError
├── ConfigurationError        500  a setting is missing or wrong
├── BadRequest                400  malformed
├── Unauthenticated           401  no session
├── Forbidden                 403  wrong role, CSRF token or origin
├── NotFound                  404  absent, or somebody else's
├── MethodNotAllowed          405
├── Conflict                  409  the state does not allow it
├── StaleVersion              412  If-Match names an older version
├── TooLarge                  413
├── UnsupportedMediaType      415
├── Invalid                   422  names each field
├── LimitExceeded             429  says when to come back
└── DependencyError
    ├── DependencyFailed      502
    ├── DependencyRefused     502  and will again, however often it is asked
    ├── DependencyUnavailable 503
    └── DependencyTimeout     504
"""

from collections.abc import Sequence
from typing import ClassVar

import msgspec


class FieldError(msgspec.Struct, frozen=True):
    """One refused field: its path (`products[3].price`) and what is wrong with it."""

    field: str
    message: str


class ShoppleError(Exception):
    """The root of the tree; `detail` is shown to the caller and must hold nothing private."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    retryable: ClassVar[bool] = False

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.title)
        self.detail = detail


class ConfigurationError(ShoppleError):
    """A setting is missing or wrong; `detail` names it and says what to do."""

    title = "The service is not configured"


class BadRequest(ShoppleError):
    """The request cannot be read as what it claims to be."""

    status = 400
    title = "Malformed request"


class Unauthenticated(ShoppleError):
    """No session, or one that is forged, expired or revoked."""

    status = 401
    title = "Not signed in"


class Forbidden(ShoppleError):
    """A session without the role, or a call that fails the CSRF or origin check."""

    status = 403
    title = "Not allowed"


class NotFound(ShoppleError):
    """Absent, or belonging to somebody else."""

    status = 404
    title = "Not found"


class MethodNotAllowed(ShoppleError):
    """The path knows other methods; `allowed` lists them."""

    status = 405
    title = "Method not allowed"

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__(f"Allowed: {', '.join(allowed)}")
        self.allowed = tuple(allowed)


class Conflict(ShoppleError):
    """The present state does not allow the change."""

    status = 409
    title = "Conflict"


class StaleVersion(ShoppleError):
    """`If-Match` names a version that is no longer the current one."""

    status = 412
    title = "Changed meanwhile"


class TooLarge(ShoppleError):
    """The body, file or row count is over its limit."""

    status = 413
    title = "Too large"


class UnsupportedMediaType(ShoppleError):
    """The body's type is none that this call reads."""

    status = 415
    title = "Unsupported media type"


class Invalid(ShoppleError):
    """Well-formed, but with fields that are refused; `errors` names them."""

    status = 422
    title = "Invalid input"

    def __init__(self, errors: Sequence[FieldError], detail: str = "") -> None:
        super().__init__(detail or "; ".join(f"{e.field}: {e.message}" for e in errors))
        self.errors = tuple(errors)

    @classmethod
    def one(cls, field: str, message: str) -> "Invalid":
        """An `Invalid` that names a single field."""
        return cls([FieldError(field, message)])


class LimitExceeded(ShoppleError):
    """Too many calls; come back after `retry_after_seconds`."""

    status = 429
    title = "Too many requests"
    retryable = True

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(f"Try again in {retry_after_seconds} s.")
        self.retry_after_seconds = retry_after_seconds


class DependencyError(ShoppleError):
    """Something that this product stands on did not do its part."""

    retryable = True


class DependencyFailed(DependencyError):
    """A dependency answered with an error."""

    status = 502
    title = "A dependency failed"


class DependencyRefused(DependencyError):
    """A dependency will not have what it was sent; sending it again helps nothing."""

    status = 502
    title = "A dependency refused the call"
    retryable = False


class DependencyUnavailable(DependencyError):
    """A dependency cannot be reached."""

    status = 503
    title = "A dependency is unavailable"


class DependencyTimeout(DependencyError):
    """A dependency did not answer in time."""

    status = 504
    title = "A dependency timed out"
