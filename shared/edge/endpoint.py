"""Declares an HTTP function, and each of its methods beside the handler that serves it."""

import types
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast, get_args, get_origin

import flask

from shared.edge.answer import Answer
from shared.edge.declaration import (
    JSON_BODY_BYTES,
    LARGE_BODY_BYTES,
    Cached,
    Function,
    LimitClass,
    Method,
    Role,
    ServiceAccount,
    Verb,
)
from shared.edge.request import Form

HandlerT = TypeVar("HandlerT", bound=Callable[..., Any])
DECLARATION = "__shopple__"
VERBS: tuple[Verb, ...] = ("GET", "POST", "PUT", "DELETE")


class MethodDecorator(Protocol):
    """`@product.get(role="admin", ...)`: what a method may declare."""

    def __call__(  # noqa: PLR0913 - each is one fact that is stated here and nowhere else
        self,
        *,
        role: Role,
        limit: LimitClass = "standard",
        large: bool = False,
        cached: Cached | None = None,
        audit: str | None = None,
        answers: dict[int, Any] | None = None,
        etag: bool = False,
        if_match: bool = False,
        idempotency_key: bool = True,
        csrf: bool = True,
        ticket: str | None = None,
        raises: tuple[int, ...] = (),
        content_type: str = "application/json",
    ) -> Callable[[HandlerT], HandlerT]:
        """Registers the decorated handler; a `large` body is one of up to 10 MiB."""


class Endpoint(Protocol):
    """A Cloud Function by HTTP; a plain function to whoever calls it."""

    get: MethodDecorator
    post: MethodDecorator
    put: MethodDecorator
    delete: MethodDecorator

    def __call__(self, request: flask.Request) -> flask.Response:
        """The answer to one call."""


def endpoint(  # noqa: PLR0913 - each is one fact that is stated here and nowhere else
    name: str,
    path: str,
    *,
    memory_mb: int = 256,
    timeout_seconds: int = 60,
    concurrency: int = 40,
    service_account: ServiceAccount = "catalogue",
    secrets: tuple[str, ...] = ("SECRET_KEY", "UPSTASH_REDIS_REST_TOKEN"),
    for_pods: bool = False,
) -> Endpoint:
    """The function `name` (its module's `__name__`) at `path`, to which methods are added.

    One that is `for_pods` is private: the crawler pods' own account calls it, and nobody else.
    """
    declaration = Function(
        name=name,
        kind="http",
        path=path,
        memory_mb=memory_mb,
        timeout_seconds=timeout_seconds,
        concurrency=concurrency,
        service_account=service_account,
        secrets=secrets,
        for_pods=for_pods,
    )
    serve = served(declaration)
    for verb in VERBS:
        setattr(serve, verb.lower(), _registrar(declaration, verb))
    return cast("Endpoint", serve)


def served(declaration: Function) -> Callable[[flask.Request], flask.Response]:
    """A plain function that serves `declaration`; functions-framework takes nothing else."""

    def serve(request: flask.Request) -> flask.Response:
        from shared.edge import pipeline

        return pipeline.serve(declaration, request)

    serve.__name__ = serve.__qualname__ = declaration.name
    setattr(serve, DECLARATION, declaration)
    return serve


def declaration_of(function: object) -> Function | None:
    """The declaration that a function carries, if it is one of ours."""
    found = getattr(function, DECLARATION, None)
    return found if isinstance(found, Function) else None


def _registrar(declaration: Function, verb: Verb) -> MethodDecorator:
    def register(**facts: Any) -> Callable[[HandlerT], HandlerT]:
        def add(handler: HandlerT) -> HandlerT:
            declaration.methods[verb] = method_of(verb, handler, facts)
            return handler

        return add

    return register


def method_of(verb: Verb, handler: Callable[..., Any], facts: dict[str, Any]) -> Method:
    """The method that `facts` and the handler's own annotations declare."""
    annotations = handler.__annotations__
    wanted = [*get_args(annotations["request"]), None, None]
    body, multipart = _body_types(wanted[0])
    answers = facts.pop("answers", None) or _answers(annotations.get("return"))
    idempotency_key = facts.pop("idempotency_key", True) and verb == "POST"
    large = facts.pop("large", False)
    return Method(
        verb=verb,
        handler=handler,
        body=body,
        query=None if wanted[1] is type(None) else wanted[1],
        answers=answers,
        multipart=multipart,
        idempotency_key=idempotency_key,
        max_body_bytes=LARGE_BODY_BYTES if large else JSON_BODY_BYTES,
        **facts,
    )


def _body_types(annotation: Any) -> tuple[Any, bool]:
    if annotation is None or annotation is type(None):
        return None, False
    if annotation is Form:
        return Form, True
    if isinstance(annotation, types.UnionType):
        members = [member for member in get_args(annotation) if member is not Form]
        return members[0], len(members) < len(get_args(annotation))
    return annotation, False


def _answers(annotation: Any) -> dict[int, Any]:
    if annotation is None or annotation is type(None):
        return {204: None}
    if get_origin(annotation) is Answer:
        return {200: get_args(annotation)[0]}
    return {200: annotation}
