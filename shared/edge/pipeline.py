"""The way of one HTTP call: limit, session, role, CSRF, validation, cache, handler, answer."""

import logging
import re
import time
import types
import uuid
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import flask
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from shared import logs
from shared.config import settings
from shared.edge import cache, headers, internal, problems, reading
from shared.edge.answer import Answer, encode
from shared.edge.caller import Caller
from shared.edge.declaration import Function, Method
from shared.edge.paths import match
from shared.edge.request import Actor, Request
from shared.errors import (
    BadRequest,
    Invalid,
    MethodNotAllowed,
    NotFound,
    ShoppleError,
    TooLarge,
    UnsupportedMediaType,
)

if TYPE_CHECKING:
    from shared.edge.streaming import Stream

log = logging.getLogger(__name__)

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")


def serve(function: Function, http: flask.Request) -> flask.Response:
    """The answer to one call of `function`; every failure becomes a problem document."""
    started = time.perf_counter()
    call = Call(function, http)
    logs.set_up(settings())
    logs.request_fields.set(call.log_fields())
    try:
        response = call.run()
    except ShoppleError as error:
        response = call.failed(error)
    except RequestEntityTooLarge:
        response = call.failed(TooLarge(f"The limit is {call.max_body_bytes()} bytes."))
    except HTTPException as error:
        response = call.failed(_from_werkzeug(error))
    except Exception:
        log.exception("Unexpected failure")
        response = call.failed(ShoppleError("Something went wrong; it has been recorded."))
    reading.read_away(http)
    call.log_line(response, time.perf_counter() - started)
    return response


def _from_werkzeug(error: HTTPException) -> ShoppleError:
    return BadRequest(error.description or "The request cannot be read.")


class Call:
    """One call on its way; holds what the steps have found out so far."""

    def __init__(self, function: Function, http: flask.Request) -> None:
        self._function = function
        self._http = http
        given = http.headers.get("X-Request-Id", "")
        self.id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        self._method: Method | None = None
        self._caller = Caller(function, http)
        self._extra: dict[str, str] = {}
        self._set_cookie: str | None = None

    def run(self) -> flask.Response:
        """The answer; raises a ShoppleError for `failed` to turn into one."""
        if redirect := self._to_https():
            return redirect
        if self._http.method == "OPTIONS":
            origin = self._http.headers.get("Origin")
            self._extra = headers.preflight(origin, self._function.allowed)
            return self._respond(204, b"", None)
        path = self._path()
        verb = "GET" if self._http.method == "HEAD" else self._http.method
        method = self._method = self._function.methods.get(verb)
        if method is None:
            self._caller.take_limit("standard" if not self._function.private else "instance", "")
            raise MethodNotAllowed(self._function.allowed)
        if method.role == "internal":
            return self._run_internal(method, path)
        lookup = self._caller.admit(method)
        if lookup.page is not None:
            self._extra["X-Cache"] = "HIT"
            return self._respond(200, lookup.page, method.content_type)
        request = self._read(method, path, self._caller.actor(method, "", self.id))
        if method.streams:
            return self._streamed(method.handler(request))
        return self._handle(method, request, lookup)

    def _path(self) -> Mapping[str, str]:
        path = match(self._function.path, self._http.path)
        # A ticket leads to the function's own address, and there the path is empty.
        if path is None and self._http.path == "/" and self._takes_tickets():
            path = match(self._function.path, self._function.path or "")
        if path is None:
            raise NotFound("There is nothing at this path.")
        return path

    def _takes_tickets(self) -> bool:
        return any(method.ticket is not None for method in self._function.methods.values())

    def _run_internal(self, method: Method, path: Mapping[str, str]) -> flask.Response:
        authorization = self._http.headers.get("Authorization")
        function = self._function
        invoker = internal.check_invoker(authorization, function.name, pod=function.for_pods)
        try:
            actor = self._caller.actor(method, invoker, self.id)
            request = self._read(method, path, actor)
        except (BadRequest, Invalid, UnsupportedMediaType) as error:
            if method.refused is None:
                raise
            method.refused(self._http.get_data(cache=True), error)
            return self._respond(204, b"", None)
        return self._handle(method, request, cache.Lookup())

    def _handle(
        self, method: Method, request: Request[Any, Any], lookup: cache.Lookup
    ) -> flask.Response:
        key = reading.idempotency_key(method, self._http, request.actor)
        if key is not None and (kept := key.begin()):
            self._extra["Idempotency-Replayed"] = "true"
            if kept.etag is not None:
                self._extra["ETag"] = kept.etag
            return self._respond(kept.status, kept.body, kept.content_type)
        try:
            answer = self._answer(method, request)
        except ShoppleError as error:
            if key is not None:
                self._settle(key, error)
            raise
        except Exception:
            if key is not None:
                key.abandon()
            raise
        body = b"" if answer.body is None else encode(answer.body)
        if method.etag and hasattr(answer.body, "version"):
            self._extra["ETag"] = f'"{answer.body.version}"'
        if key is not None:
            key.finish(answer.status, body, method.content_type, self._extra.get("ETag"))
        return self._answered(method, answer, body, lookup)

    def _read(self, method: Method, path: Mapping[str, str], actor: Actor) -> Request[Any, Any]:
        # One more, since Werkzeug cuts a body of unknown length off at its limit in silence.
        self._http.max_content_length = method.max_body_bytes + 1
        try:
            body = reading.body(method, self._http)
        finally:
            # What is refused is what somebody looks for.
            if log.isEnabledFor(logging.DEBUG):
                self._payloads().log_request(self._http, method.max_body_bytes)
        return Request(
            id=self.id,
            path=path,
            body=body,
            query=reading.query(method, self._http),
            actor=actor,
            session=self._caller.session,
            if_match=reading.if_match(method, self._http),
            retries=reading.retries(method, self._http),
        )

    def _settle(self, key: Any, error: ShoppleError) -> None:
        if error.retryable or error.status >= 500:  # noqa: PLR2004 - a server's own failure
            key.abandon()
        else:
            body = encode(problems.problem(error, self.id))
            key.finish(error.status, body, problems.CONTENT_TYPE)

    def _answer(self, method: Method, request: Request[Any, Any]) -> Answer[Any]:
        result = method.handler(request)
        if isinstance(result, Answer):
            return result
        return Answer(result, status=next(iter(method.answers)))

    def _answered(
        self, method: Method, answer: Answer[Any], body: bytes, lookup: cache.Lookup
    ) -> flask.Response:
        self._extra |= answer.headers
        if answer.set_cookie is not None:
            self._set_cookie = answer.set_cookie
        if method.cached is not None:
            self._extra["X-Cache"] = "MISS"
            body = headers.compressed_once(body)
            cache.store(method.cached, lookup.generation, self._caller.page(), body)
        return self._respond(answer.status, body, method.content_type)

    def failed(self, error: ShoppleError) -> flask.Response:
        """The problem document of `error`, with every header of a good answer."""
        body = encode(problems.problem(error, self.id))
        self._extra |= problems.headers(error)
        return self._respond(error.status, body, problems.CONTENT_TYPE)

    def _respond(self, status: int, body: bytes, content_type: str | None) -> flask.Response:
        if self._caller.allowance is None and self._method is None and not self._function.private:
            self._caller.take_limit_quietly()
        if log.isEnabledFor(logging.DEBUG):
            self._payloads().log_answer(status, body, content_type)
        sent, encoding = headers.compressed(body, self._http.headers.get("Accept-Encoding", ""))
        if encoding is not None:
            self._extra["Content-Encoding"] = encoding
        return self._response(status, sent, content_type)

    def _streamed(self, stream: "Stream") -> flask.Response:
        from shared.edge import streaming

        connection = self._http.environ.get("gunicorn.socket")
        # A proxy that would gather the answer first is asked not to.
        self._extra["X-Accel-Buffering"] = "no"
        return self._response(200, streaming.events(stream, connection), streaming.CONTENT_TYPE)

    def _response(
        self, status: int, sent: bytes | Iterator[bytes], content_type: str | None
    ) -> flask.Response:
        # One mapping for all: werkzeug searches the whole list for each header set on its own.
        carried = headers.SECURITY | headers.cors(self._http.headers.get("Origin"))
        carried["X-Request-Id"] = self.id
        if self._caller.allowance is not None:
            carried |= self._caller.allowance.headers()
        if cookie := self._set_cookie or self._caller.renewed_cookie:
            carried["Set-Cookie"] = cookie
        carried |= self._extra
        return flask.Response(sent, status=status, headers=carried, content_type=content_type)

    @staticmethod
    def _payloads() -> types.ModuleType:
        from shared.edge import payloads

        return payloads

    def _to_https(self) -> flask.Response | None:
        forwarded = self._http.headers.get("X-Forwarded-Proto")
        if not settings().cookie_secure or forwarded != "http":
            return None
        target = self._http.url.replace("http://", "https://", 1)
        self._extra["Location"] = target
        return self._respond(308, b"", None)

    def max_body_bytes(self) -> int:
        """The body limit of the method at hand."""
        return self._method.max_body_bytes if self._method else 0

    def log_fields(self) -> dict[str, str]:
        """What each log line of this call carries."""
        fields = {"request_id": self.id, "function": self._function.name}
        trace, _, _ = self._http.headers.get("X-Cloud-Trace-Context", "").partition("/")
        if trace:
            fields["trace"] = f"projects/{settings().project_id}/traces/{trace}"
        return fields

    def log_line(self, response: flask.Response, seconds: float) -> None:
        """One line for the call, a warning where it failed by our own fault."""
        level = logging.WARNING if response.status_code >= 500 else logging.INFO  # noqa: PLR2004
        session = self._caller.session
        if log.isEnabledFor(level):
            context = {
                "method": self._http.method,
                "path": self._http.path,
                "status": response.status_code,
                "duration_ms": round(seconds * 1000, 1),
                "cache": response.headers.get("X-Cache"),
                "uid": session.uid if session else None,
            }
            log.log(level, "Answered", extra={"context": context})
