"""The sink: what it keeps, and the accidents that it may be told to have."""

import asyncio
import time
from typing import Any

import httpx
from starlette.applications import Starlette

from local.sink import Sink


class Caller:
    """Calls a sink, each time anew."""

    def __init__(self) -> None:
        self.sink = Sink()
        self._app = Starlette(routes=self.sink.routes())

    def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        async def answer() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://sink") as http:
                return await http.request(method, path, **request)

        return asyncio.run(answer())

    def taken(self, path: str) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = self.call("GET", path).json()["messages"]
        return messages


def test_what_was_posted_is_listed_newest_first() -> None:
    caller = Caller()
    assert caller.call("POST", "/sink/slack", json={"text": "one"}).text == "ok"
    caller.call("POST", "/sink/mine", content=b"raw \xff", headers={"X-Signed": "yes"})
    caller.call("POST", "/sink/slack", json={"text": "two"})
    assert [each.get("text") for each in caller.sink.page()["messages"]] == ["two", None, "one"]
    (raw,) = caller.taken("/sink/mine")
    assert (raw["box"], raw["body"], raw["headers"]["x-signed"]) == ("mine", "raw \ufffd", "yes")
    assert [message["text"] for message in caller.taken("/sink/slack")] == ["two", "one"]


def test_a_box_fails_so_many_times_and_keeps_what_it_refused() -> None:
    caller = Caller()
    caller.call("PUT", "/sink/slack", json={"status": 503, "times": 2})
    answers = [caller.call("POST", "/sink/slack", json={"text": str(n)}) for n in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert [message["status"] for message in caller.taken("/sink/slack")] == [200, 503, 503]
    assert [message["text"] for message in caller.sink.page()["messages"]] == ["2"]
    assert caller.call("POST", "/sink/other", json={}).status_code == 200


def test_a_box_can_be_slow_and_emptied() -> None:
    caller = Caller()
    caller.call("PUT", "/sink/slack", json={"delay_seconds": 0.05})
    began = time.monotonic()
    caller.call("POST", "/sink/slack", json={"text": "late"})
    assert time.monotonic() - began >= 0.05
    caller.call("DELETE", "/sink/slack")
    assert caller.taken("/sink/slack") == []
    assert caller.call("PUT", "/sink/slack", json={"colour": "red"}).status_code == 422
