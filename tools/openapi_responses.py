"""What an operation answers: its successes, and every failure that follows from its declaration."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from shared import errors
from shared.edge.declaration import Function, Method
from shared.edge.paths import parameters
from shared.edge.problems import CONTENT_TYPE

FAILURE: Final = "5XX"
ALWAYS: Final = ("X-Request-Id", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
HEADERS: Final[dict[str, tuple[str, str]]] = {
    "X-Request-Id": ("string", "Names this call in the logs."),
    "X-RateLimit-Limit": ("integer", "Calls that a minute allows."),
    "X-RateLimit-Remaining": ("integer", "Calls that are left of them."),
    "X-RateLimit-Reset": ("integer", "When the next minute begins, in seconds since 1970."),
    "X-Cache": ("string", "HIT or MISS."),
    "ETag": ("string", "The version, for If-Match."),
    "Idempotency-Replayed": ("string", "`true` where the answer was given before."),
    "Retry-After": ("integer", "Seconds after which to try again."),
}


def headers() -> dict[str, Any]:
    """The headers that answers refer to."""
    return {
        name: {"description": description, "schema": {"type": kind}}
        for name, (kind, description) in HEADERS.items()
    }


def responses(method: Method, schema: Callable[[Any, str], dict[str, Any]]) -> dict[str, Any]:
    """The successes of a method."""
    return {
        str(status): _success(HTTPStatus(status), answer, method, schema)
        for status, answer in method.answers.items()
    }


def _success(
    status: HTTPStatus, answer: Any, method: Method, schema: Callable[[Any, str], dict[str, Any]]
) -> dict[str, Any]:
    marks = {
        "X-Cache": method.cached is not None,
        "ETag": method.etag,
        "Idempotency-Replayed": method.idempotency_key,
    }
    response: dict[str, Any] = {
        "description": status.phrase,
        "headers": _references([*ALWAYS, *(name for name, given in marks.items() if given)]),
    }
    if answer is not None:
        content_type = method.content_type
        response["content"] = {content_type: {"schema": schema(answer, content_type)}}
    return response


def problems(function: Function, method: Method) -> dict[str, Any]:
    """A reference for each failure that a method may answer."""
    named = {
        str(status): _ERRORS[status].__name__ for status in sorted(_statuses(function, method))
    }
    if method.query is not None:
        named["414"] = "AddressTooLong"
    named[FAILURE] = "ServerFailure"
    return {
        status: {"$ref": f"#/components/responses/{name}"} for status, name in sorted(named.items())
    }


def _statuses(function: Function, method: Method) -> set[int]:
    follows = {
        400: method.body is not None or hasattr(method.query, "cursor"),
        401: method.role != "public",
        403: method.role != "public" or method.changes_state,
        404: bool(parameters(function.path or "")),
        409: method.idempotency_key,
        412: method.if_match,
        413: method.changes_state,
        415: method.body is not None,
        # Also where nothing is taken: an unknown query argument is refused.
        422: True,
        429: True,
    }
    further = {status for status in method.raises if status < 500}  # noqa: PLR2004
    return {status for status, may in follows.items() if may} | further


def problem_responses(problem: dict[str, Any]) -> dict[str, Any]:
    """Each failure once, for operations to refer to."""
    content = {CONTENT_TYPE: {"schema": problem}}
    found = {
        error.__name__: {
            "description": f"{error.title}.",
            "headers": _references(_failure_headers(status)),
            "content": content,
        }
        for status, error in sorted(_ERRORS.items())
    }
    # The server refuses it before the function sees it, and so in words of its own.
    found["AddressTooLong"] = {"description": "The address is longer than 4,094 bytes."}
    found["ServerFailure"] = {
        "description": "A fault of ours (500), or a dependency failed (502), is away (503) or did "
        "not answer in time (504).",
        "headers": _references([*ALWAYS, "Retry-After"]),
        "content": content,
    }
    return found


def _failure_headers(status: int) -> list[str]:
    limited = errors.LimitExceeded.status
    return [*ALWAYS, "Retry-After"] if status == limited else list(ALWAYS)


def _references(names: list[str]) -> dict[str, dict[str, str]]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _client_errors() -> dict[int, type[errors.ShoppleError]]:
    # 405 is left out: it answers a method that no operation describes.
    direct = errors.ShoppleError.__subclasses__()
    return {e.status: e for e in direct if e.status < 500 and e.status != 405}  # noqa: PLR2004


_ERRORS: Final = _client_errors()
