"""Firebase Hosting on one port: the console's files, and functions behind rewrites."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute

from local.hosting import Site
from local.plan import GATEWAY_ADDRESS
from local.tls import TLS

LIMIT_SECONDS = 60.0

_VERBS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_STATIC_VERBS = ("GET", "HEAD")
# Production waits for an instance to start; here the functions may be restarting.
_START_SECONDS = 10
_START_POLL_SECONDS = 0.1
# Headers that concern one connection only (RFC 9110, 7.6.1), and those that are set anew.
_NOT_FORWARDED = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer "
    b"transfer-encoding upgrade content-length host cookie x-forwarded-for x-forwarded-host "
    b"x-forwarded-proto".split()
)
_NOT_RETURNED = frozenset(
    b"connection keep-alive transfer-encoding content-length date server".split()
)

RawHeaders = list[tuple[bytes, bytes]]


class Gateway:
    """The site that a firebase.json describes, before the functions at `functions_url`."""

    def __init__(  # noqa: PLR0913 - each is one fact about the site
        self,
        firebase_json: Path,
        functions_url: str,
        limit_seconds: float = LIMIT_SECONDS,
        *,
        reserved: Mapping[str, Callable[[], dict[str, Any]]] | None = None,
        allowed: Mapping[str, str] | None = None,
        sockets: WebSocketRoute | None = None,
    ) -> None:
        self._sockets = [sockets] if sockets is not None else []
        self._reserved = reserved or {}
        # A directive of the policy and what it allows here beside what it allows in production.
        self._allowed = allowed or {}
        self._file = firebase_json
        self._functions_url = functions_url
        self._limit_seconds = limit_seconds
        self._site = Site.read(firebase_json)
        self._modified = firebase_json.stat().st_mtime_ns
        self._http = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(
                local_address=GATEWAY_ADDRESS,
                verify=TLS,
                # Functions keep connections for longer, so none closes as a request sets out.
                limits=httpx.Limits(max_connections=None, keepalive_expiry=30),
            ),
            timeout=None,  # noqa: S113 - the whole exchange has one limit
            trust_env=False,
            # A client that kept cookies would hand one caller's session to all others.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )

    def app(self) -> Starlette:
        """The application that serves the site."""
        pages = Route("/{path:path}", self._serve, methods=_VERBS)
        return Starlette(routes=[*self._sockets, pages])

    async def close(self) -> None:
        """Close the connections to the functions."""
        await self._http.aclose()

    async def _serve(self, request: Request) -> Response:
        site = self._current_site()
        # As it was sent: an encoded slash separates nothing.
        path = request.scope["raw_path"].decode("ascii")
        if path in self._reserved:
            return JSONResponse(self._reserved[path]())
        if request.method in _STATIC_VERBS and (file := site.static(path)) is not None:
            if file.location is not None:
                query = f"?{request.url.query}" if request.url.query else ""
                return RedirectResponse(file.location + query, 301)
            return FileResponse(file.path, headers=self._headers(site, path))
        function = None if path.startswith("/__/") else site.function(path)
        if function is not None:
            return await self._call(function, request)
        not_found = site.not_found_page()
        if not_found is not None:
            return FileResponse(not_found, 404, headers=self._headers(site, path))
        return Response("404 Not Found", 404, media_type="text/plain")

    def _headers(self, site: Site, path: str) -> dict[str, str]:
        headers = site.headers(path)
        policy = headers.get("Content-Security-Policy")
        if policy:
            for directive, url in self._allowed.items():
                policy = policy.replace(f"{directive} ", f"{directive} {url} ")
            headers["Content-Security-Policy"] = policy
        return headers

    def _current_site(self) -> Site:
        modified = self._file.stat().st_mtime_ns
        if modified != self._modified:
            self._site = Site.read(self._file)
            self._modified = modified
        return self._site

    async def _call(self, function: str, request: Request) -> Response:
        try:
            async with asyncio.timeout(self._limit_seconds):
                body = await request.body()
                return await self._forwarded(function, request, body)
        except TimeoutError:
            return _plain(504, "The function did not answer in time.")
        except httpx.ConnectError:
            return _plain(503, "The functions cannot be reached.")
        except httpx.HTTPError as error:
            return _plain(502, f"The function broke off: {error!r}")

    async def _forwarded(self, function: str, request: Request, body: bytes) -> Response:
        target = request.scope["raw_path"].decode("ascii")
        query = request.scope["query_string"].decode("ascii")
        outgoing = self._http.build_request(
            request.method,
            f"{self._functions_url}/{function}{target}" + (f"?{query}" if query else ""),
            headers=list(_request_headers(request)),
            content=body,
        )
        # What the client did not say, httpx must not say for it.
        for name in ("accept", "accept-encoding", "user-agent"):
            if name not in request.headers:
                del outgoing.headers[name]
        answer = await self._send(outgoing)
        try:
            # Raw, so that a compressed body stays as the function made it; whole, as Hosting
            # buffers: a browser must not come to rely on streams here.
            content = b"".join([chunk async for chunk in answer.aiter_raw()])
        finally:
            await answer.aclose()
        response = Response(content, answer.status_code)
        response.raw_headers = _response_headers(answer, request, len(content))
        return response

    async def _send(self, outgoing: httpx.Request) -> httpx.Response:
        give_up = time.monotonic() + _START_SECONDS
        while True:
            try:
                return await self._http.send(outgoing, stream=True)
            except httpx.ConnectError:
                if time.monotonic() > give_up:
                    raise
                await asyncio.sleep(_START_POLL_SECONDS)


def _request_headers(request: Request) -> Iterator[tuple[bytes, bytes]]:
    for name, value in request.headers.raw:
        if name not in _NOT_FORWARDED:
            # White space around it is no part of a value (RFC 9110, 5.5), and some send it.
            yield name, value.strip(b" \t")
    session = _session_cookie(request.headers.getlist("cookie"))
    if session is not None:
        yield b"cookie", f"__session={session}".encode("latin-1")
    client = request.client.host if request.client else ""
    claimed = ", ".join(request.headers.getlist("x-forwarded-for"))
    yield b"x-forwarded-for", (f"{claimed}, {client}" if claimed else client).encode("latin-1")
    yield b"x-forwarded-host", request.headers.get("host", "").encode("latin-1")
    yield b"x-forwarded-proto", request.url.scheme.encode()


def _session_cookie(headers: list[str]) -> str | None:
    pairs = (pair.partition("=") for pair in ";".join(headers).split(";"))
    return next((value.strip() for name, _, value in pairs if name.strip() == "__session"), None)


def _response_headers(answer: httpx.Response, request: Request, length: int) -> RawHeaders:
    directives = answer.headers.get("cache-control", "").lower().replace(",", " ").split()
    headers = [
        (name.lower(), value)
        for name, value in answer.headers.raw
        if name.lower() not in _NOT_RETURNED
        # Hosting's cache is shared: an answer that it may keep must not carry anyone's cookie.
        and (name.lower() != b"set-cookie" or "private" in directives)
    ]
    if request.method == "HEAD":
        told = answer.headers.get("content-length")
        return [*headers, (b"content-length", told.encode())] if told else headers
    if answer.status_code in (204, 304):
        return headers
    return [*headers, (b"content-length", str(length).encode())]


def _plain(status: int, text: str) -> Response:
    return Response(text, status, media_type="text/plain", headers={"Cache-Control": "no-store"})
