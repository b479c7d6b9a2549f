"""Failures as RFC 9457 problem documents."""

from typing import Any

import msgspec

from shared.errors import Invalid, LimitExceeded, MethodNotAllowed, ShoppleError

CONTENT_TYPE = "application/problem+json"


class Problem(msgspec.Struct, omit_defaults=True):
    """The body of every failure; `instance` is the request's id."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[dict[str, str]] = []


def problem(error: ShoppleError, request_id: str) -> Problem:
    """The problem document of one of our errors; it shows nothing that is not in `detail`."""
    body = Problem(
        type=f"urn:shopple:problem:{_slug(error)}",
        title=error.title,
        status=error.status,
        detail=error.detail or error.title,
        instance=request_id,
    )
    if isinstance(error, Invalid):
        body.errors = [{"field": e.field, "message": e.message} for e in error.errors]
    return body


def headers(error: ShoppleError) -> dict[str, Any]:
    """The headers that a failure needs beside its body."""
    if isinstance(error, MethodNotAllowed):
        return {"Allow": ", ".join(error.allowed)}
    if isinstance(error, LimitExceeded):
        return {"Retry-After": str(error.retry_after_seconds)}
    return {"Retry-After": "2"} if error.retryable else {}


def _slug(error: ShoppleError) -> str:
    name = type(error).__name__
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")
