"""Hosting's behaviour, before a toy function server that shows what reached it."""

import asyncio
import gzip
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.gateway import Gateway
from local.ports import HOST, Ports

FIREBASE_JSON = {
    "hosting": {
        "public": "console",
        "headers": [{"source": "**", "headers": [{"key": "X-Frame-Options", "value": "DENY"}]}],
        "rewrites": [
            {"source": "/api/items/*", "function": {"functionId": "items"}},
            {"source": "/api/slow", "function": {"functionId": "slow"}},
            {"source": "/page", "function": {"functionId": "items"}},
        ],
    }
}

Check = Callable[[httpx.AsyncClient], Awaitable[None]]


async def shown(request: Request) -> Response:
    answer = {
        "path": request.url.path,
        "query": request.url.query,
        "method": request.method,
        "body": (await request.body()).decode(),
        "headers": dict(request.headers),
        "peer": request.client.host if request.client else None,
    }
    headers = dict(json.loads(request.headers.get("x-answer", "{}")))
    if request.headers.get("x-gzip"):
        body = gzip.compress(json.dumps(answer).encode())
        return Response(body, headers=headers | {"content-encoding": "gzip"})
    return JSONResponse(answer, int(request.headers.get("x-status", "200")), headers)


async def slow(_: Request) -> Response:
    await asyncio.Event().wait()
    return Response()


def through_gateway(folder: Path, check: Check) -> None:
    """Run `check` with a client of a gateway that stands before the toy functions."""
    (folder / "console").mkdir()
    (folder / "console" / "page").write_text("static")
    (folder / "console" / "404.html").write_text("our own page")
    (folder / "firebase.json").write_text(json.dumps(FIREBASE_JSON))
    verbs = ["GET", "HEAD", "POST", "PUT", "DELETE"]
    toy = Starlette(
        routes=[Route("/slow/{_:path}", slow), Route("/{_:path}", shown, methods=verbs)]
    )
    asyncio.run(_run(folder / "firebase.json", toy, check))


async def _run(firebase_json: Path, toy: Starlette, check: Check) -> None:
    port = Ports.free().functions
    config = uvicorn.Config(toy, host=HOST, port=port, log_level="error", proxy_headers=False)
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    gateway = Gateway(firebase_json, f"http://{HOST}:{port}", limit_seconds=1)
    transport = httpx.ASGITransport(gateway.app(), client=("203.0.113.7", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
        await check(client)
    await gateway.close()
    # The slow function never ends by itself.
    server.force_exit = True
    await server.shutdown()


def test_a_rewrite_reaches_its_function_with_path_query_and_body(tmp_path: Path) -> None:
    async def check(client: httpx.AsyncClient) -> None:
        answer = await client.put("/api/items/a%2Fb%20c?x=1&y=%20", content="body")
        told = answer.json()
        # The encoded slash is part of the id, for the pattern as for the function.
        assert told["path"] == "/items/api/items/a/b c"
        assert told["query"] == "x=1&y=%20"
        assert (told["method"], told["body"]) == ("PUT", "body")

    through_gateway(tmp_path, check)


def test_only_the_session_cookie_passes(tmp_path: Path) -> None:
    async def check(client: httpx.AsyncClient) -> None:
        cookies = {"Cookie": "other=1; __session=a.b-c==; session=x"}
        told = await client.get("/api/items/1", headers=cookies)
        assert told.json()["headers"]["cookie"] == "__session=a.b-c=="
        without = await client.get("/api/items/1", headers={"Cookie": "other=1"})
        assert "cookie" not in without.json()["headers"]

    through_gateway(tmp_path, check)


def test_one_callers_cookie_never_serves_another(tmp_path: Path) -> None:
    async def check(client: httpx.AsyncClient) -> None:
        answer = {"set-cookie": "__session=mine; Path=/", "cache-control": "private"}
        await client.get("/api/items/1", headers={"x-answer": json.dumps(answer)})
        client.cookies.clear()
        told = await client.get("/api/items/1")
        assert "cookie" not in told.json()["headers"]

    through_gateway(tmp_path, check)


def test_the_caller_and_the_site_are_told_in_headers(tmp_path: Path) -> None:
    async def check(client: httpx.AsyncClient) -> None:
        forged = {
            "X-Forwarded-For": "198.51.100.9",
            "X-Forwarded-Host": "evil.test",
            "X-Forwarded-Proto": "https",
        }
        headers = (await client.get("/api/items/1", headers=forged)).json()["headers"]
        assert headers["x-forwarded-for"] == "198.51.100.9, 203.0.113.7"
        assert headers["x-forwarded-host"] == "shop.test"
        assert headers["x-forwarded-proto"] == "http"
        assert headers["host"].startswith(f"{HOST}:")

    through_gateway(tmp_path, check)


def test_a_cookie_is_set_only_by_a_private_answer(tmp_path: Path) -> None:
    async def set_by(client: httpx.AsyncClient, cache_control: str) -> bool:
        answer = {"set-cookie": "__session=x", "cache-control": cache_control}
        return (
            "set-cookie"
            in (await client.get("/api/items/1", headers={"x-answer": json.dumps(answer)})).headers
        )

    async def check(client: httpx.AsyncClient) -> None:
        assert await set_by(client, "private, no-store")
        assert await set_by(client, "no-store,private")
        assert not await set_by(client, "no-store")
        assert not await set_by(client, "")

    through_gateway(tmp_path, check)


def test_answers_pass_as_they_are(tmp_path: Path) -> None:
    async def check(client: httpx.AsyncClient) -> None:
        packed = await client.get("/api/items/1", headers={"x-gzip": "1"})
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.json()["path"] == "/items/api/items/1"
        refused = await client.get("/api/items/1", headers={"x-status": "418"})
        assert refused.status_code == 418
        head = await client.head("/api/items/1")
        assert int(head.headers["content-length"]) > 0
        assert head.content == b""

    through_gateway(tmp_path, check)


def test_a_file_wins_over_a_rewrite(tmp_path: Path) -> None:
    async def check(client: httpx.AsyncClient) -> None:
        answer = await client.get("/page")
        assert answer.text == "static"
        assert answer.headers["x-frame-options"] == "DENY"
        assert (await client.post("/page")).json()["path"] == "/items/page"

    through_gateway(tmp_path, check)


def test_an_unknown_path_gets_the_site_s_page(tmp_path: Path) -> None:
    async def check(client: httpx.AsyncClient) -> None:
        for path in ("/api/unknown", "/__/auth/handler", "/api/items/1/2"):
            answer = await client.get(path)
            assert (answer.status_code, answer.text) == (404, "our own page")

    through_gateway(tmp_path, check)


def test_a_function_that_takes_too_long_is_cut_off(tmp_path: Path) -> None:
    async def check(client: httpx.AsyncClient) -> None:
        assert (await client.get("/api/slow")).status_code == 504

    through_gateway(tmp_path, check)


def test_a_changed_configuration_is_taken_up(tmp_path: Path) -> None:
    async def check(client: httpx.AsyncClient) -> None:
        assert (await client.get("/api/new")).status_code == 404
        changed: dict[str, Any] = {"public": "console"}
        changed["rewrites"] = [{"source": "/api/new", "function": "items"}]
        file = tmp_path / "firebase.json"
        file.write_text(json.dumps({"hosting": changed}))
        os.utime(file, ns=(1, 1))
        assert (await client.get("/api/new")).json()["path"] == "/items/api/new"

    through_gateway(tmp_path, check)
