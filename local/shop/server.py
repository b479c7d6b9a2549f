"""The shop as a site: its pages, its faults, and a log of what was fetched."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.responses import PlainTextResponse as Text
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from local.shop import astray, pages
from local.shop.assortment import DEPARTMENTS, Item, items
from local.shop.truth import truth

PAGE: Final = 20
LARGE_BYTES: Final = 3_000_000
_LOGGED: Final = 100_000
# A page that never ends, as far as anybody waits.
_DROPS: Final = 6_000
_DROP_SECONDS: Final = 0.02
# Where the shop's redirects lead: nothing of it may ever be asked.
PRIVATE: Final = {
    "metadata": "http://169.254.169.254/latest/meta-data/",
    "loopback": "http://127.0.0.1:1/",
    "ipv6": "http://[::1]/",
    "mapped": "http://[::ffff:127.0.0.1]/",
    "decimal": "http://2130706433/",
    "octal": "http://0177.0.0.1/",
    "named": "http://metadata.google.internal/computeMetadata/v1/",
    "file": "file:///etc/passwd",
}
FAULTS: Final = (
    *("/broken", "/gone", "/large", "/not-html", "/loop", "/private/offers", "/to-private"),
    *(f"/away/{name}" for name in PRIVATE),
)


@dataclass(frozen=True, slots=True)
class Faults:
    """How bad the shop is: each `slow` page answers so late; `busy` ones send away once.

    Scripts of two more pages of ice cream try to reach `trap`, a host and port.
    """

    slow_seconds: float = 0.3
    retry_after_seconds: int = 0
    trap: str = ""
    crawl_delay_seconds: float = 0.0
    present: bool = True


class Shop:
    """One shop; its log holds the path of each request, query included, in order.

    `timed` holds the same with the moment of each, by the monotonic clock.
    """

    def __init__(self, faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        self.log: deque[str] = deque(maxlen=_LOGGED)
        self.timed: deque[tuple[float, str]] = deque(maxlen=_LOGGED)
        self._items = {item.number: item for item in items()}
        self._asked: Counter[str] = Counter()

    def app(self) -> ASGIApp:
        """The site; what is below `/__/` is for whoever judges a crawl."""
        routes: list[tuple[str, Callable[[Request], Awaitable[Response]]]] = [
            ("/robots.txt", self._robots),
            ("/c/{category}", self._listing),
            ("/p/{slug}", self._product),
            (astray.PATH, self._astray),
            (astray.LEAVING, self._leaving),
            (astray.WORKER, self._worker),
            (astray.PASSED_ON, self._passed_on),
            ("/app/{slug}", self._product),
            ("/alias/{slug}", self._product),
            ("/data/{number:int}", self._data),
            ("/away/{name}", self._away),
            ("/broken", self._broken),
            ("/large", self._large),
            ("/not-html", self._not_html),
            ("/loop", self._loop),
            ("/trickle", self._trickle),
            ("/private/{rest:path}", self._private),
            ("/to-private", self._to_private),
            ("/__/log", self._log),
            ("/__/timed", self._timed),
            ("/__/truth/{category}", self._truth),
        ]
        site = Starlette(routes=[Route(path, handler) for path, handler in routes])

        async def logged(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and not scope["path"].startswith("/__/"):
                query = scope["query_string"].decode()
                path = scope["path"] + (f"?{query}" if query else "")
                self.log.append(path)
                self.timed.append((time.monotonic(), path))
            await site(scope, receive, send)

        return logged

    async def _robots(self, _: Request) -> Response:
        delay = self.faults.crawl_delay_seconds
        said = f"Crawl-delay: {delay}\n" if delay else ""
        return Text(f"User-agent: *\nDisallow: /private/\nDisallow: /__/\n{said}")

    async def _listing(self, request: Request) -> Response:
        category = request.path_params["category"]
        if category not in DEPARTMENTS:
            return Text("no such department", 404)
        number = int(request.query_params.get("page", "1"))
        sold = [item for item in self._items.values() if item.category == category]
        here = sold[(number - 1) * PAGE : number * PAGE]
        more = f"/c/{category}?page={number + 1}" if number * PAGE < len(sold) else None
        extra = self._extra(here) if number == 1 and self.faults.present else []
        return HTMLResponse(pages.listing(category, here, extra, more))

    def _extra(self, here: list[Item]) -> list[str]:
        """What stands among the products: faults, and a second way to the first product."""
        if here[0].markup == "cards":
            return list(FAULTS)
        if here[0].markup == "script":
            return [*FAULTS, *([astray.PATH, astray.LEAVING] if self.faults.trap else [])]
        return [here[0].path.replace("/p/", "/alias/"), *FAULTS]

    async def _product(self, request: Request) -> Response:
        number = int(request.path_params["slug"].partition("-")[0])
        item = self._items.get(number)
        if item is None:
            return Text("no such product", 404)
        if self.faults.present and (away := await self._troubled(request, number)):
            return away
        neighbour = self._items.get(number + 1, self._items[1])
        return HTMLResponse(pages.product(item, self._origin(request), neighbour))

    async def _troubled(self, request: Request, number: int) -> Response | None:
        """Some pages are slow; some are busy when they are first asked for."""
        if number % 41 == 0:
            await asyncio.sleep(self.faults.slow_seconds)
        self._asked[request.url.path] += 1
        if number % 53 == 0 and self._asked[request.url.path] == 1:
            return Text("busy", 429, {"Retry-After": str(self.faults.retry_after_seconds)})
        if number % 59 == 0 and self._asked[request.url.path] == 1:
            return Text("fell over", 503)
        return None

    async def _data(self, request: Request) -> Response:
        item = self._items.get(request.path_params["number"])
        return JSONResponse(pages.data(item)) if item else Text("no such product", 404)

    async def _away(self, request: Request) -> Response:
        to = PRIVATE[request.path_params["name"]]
        return Response(status_code=302, headers={"Location": to})

    async def _broken(self, _: Request) -> Response:
        return Text("always", 500)

    async def _large(self, _: Request) -> Response:
        return HTMLResponse(b"<p>" + b"x" * LARGE_BYTES)

    async def _not_html(self, _: Request) -> Response:
        return Response(b"%PDF-1.7", media_type="application/pdf")

    async def _loop(self, _: Request) -> Response:
        return RedirectResponse("/loop")

    async def _trickle(self, _: Request) -> Response:
        async def drops() -> AsyncIterator[bytes]:
            for _ in range(_DROPS):
                yield b"<p>and so on"
                await asyncio.sleep(_DROP_SECONDS)

        return StreamingResponse(drops(), media_type="text/html")

    async def _astray(self, _: Request) -> Response:
        return HTMLResponse(astray.page(self.faults.trap, PRIVATE))

    async def _leaving(self, _: Request) -> Response:
        return HTMLResponse(astray.leaving(self.faults.trap))

    async def _worker(self, _: Request) -> Response:
        return Response(astray.worker(), media_type="text/javascript")

    async def _passed_on(self, _: Request) -> Response:
        return Response(status_code=307, headers={"Location": f"http://{self.faults.trap}/"})

    async def _private(self, _: Request) -> Response:
        return HTMLResponse("<h1 class='name'>Not for robots</h1><p class='price'>Rs. 1.00</p>")

    async def _to_private(self, _: Request) -> Response:
        return RedirectResponse("/private/offers")

    async def _log(self, _: Request) -> Response:
        return JSONResponse(list(self.log))

    async def _timed(self, _: Request) -> Response:
        return JSONResponse(list(self.timed))

    async def _truth(self, request: Request) -> Response:
        found: list[dict[str, Any]] = truth(self._origin(request), request.path_params["category"])
        return JSONResponse(found)

    @staticmethod
    def _origin(request: Request) -> str:
        return str(request.base_url).rstrip("/")
