"""The WebSocket of crawls as a browser opens it: a ticket, a subscription, news as they come."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from local.stack import Stack
from tests.sessions import SignedIn, new_client

PROTOCOL = Subprotocol("shopple.crawler")
WAIT_SECONDS = 30
Json = dict[str, Any]


def ticket(stack: Stack, signed_in: SignedIn, purpose: str = "crawler") -> Json:
    with new_client(stack, signed_in) as http:
        return ticket_of(http, purpose)


def ticket_of(http: httpx.Client, purpose: str = "crawler") -> Json:
    told: Json = http.post("/api/admin/ticket", json={"for": purpose}).raise_for_status().json()
    return told


@contextmanager
def socket(stack: Stack, signed_in: SignedIn, **more: Any) -> Iterator[ClientConnection]:
    with opened_with(ticket(stack, signed_in), **more) as opened:
        yield opened


@contextmanager
def opened_with(given: Json, **more: Any) -> Iterator[ClientConnection]:
    assert given["ticket"] not in given["url"]
    offered = [PROTOCOL, Subprotocol(given["ticket"])]
    with connect(given["url"], subprotocols=offered, proxy=None, **more) as opened:
        assert opened.subprotocol == PROTOCOL
        yield opened


def subscribe(opened: ClientConnection, wanted: Any) -> None:
    opened.send(json.dumps({"subscribe": wanted}))


def heard(opened: ClientConnection, wait_seconds: float = WAIT_SECONDS) -> Json:
    told: Json = json.loads(opened.recv(timeout=wait_seconds))
    return told


def heard_to_the_end(opened: ClientConnection) -> list[Json]:
    return [json.loads(message) for message in opened]
