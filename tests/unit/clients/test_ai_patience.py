"""A call of a provider ends in time, however the other side keeps it going."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib import import_module

import pytest

from shared.clients.ai import patient_network
from shared.clients.ai.asking import Patience, ProviderFailed, Question, Stopped

SECONDS = 0.4
# The other side gives up by itself then, so that a call without an end fails here, and not later.
GIVES_UP_SECONDS = 3.0
EVERY_SECONDS = 0.05
QUESTION = Question("", "", {}, "", 16)
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999\r\n\r\n"
ALIVE = b": OPENROUTER PROCESSING\n\n"
PROVIDERS = ("groq", "gemini", "openrouter")
ENDLESS = [
    ("openrouter", STREAM, ALIVE),
    ("openrouter", b"HTTP/1.1 200 OK\r\nX: ", b"x"),
    ("groq", WHOLE, b" "),
    ("groq", b"HTTP/1.1 200 OK\r\nX: ", b"x"),
    ("gemini", STREAM, b"\n"),
]


@contextmanager
def answering(first: bytes, again: bytes = b"") -> Iterator[str]:
    """The address of a server that says `first`, and then `again` and again, if anything."""
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        said = pool.submit(_say, server, first, again)
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        said.result(GIVES_UP_SECONDS * 3)


def _say(server: socket.socket, first: bytes, again: bytes) -> None:
    server.settimeout(GIVES_UP_SECONDS)
    end = time.monotonic() + GIVES_UP_SECONDS
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(first)
        connection.settimeout(EVERY_SECONDS)
        while again and time.monotonic() < end:
            try:
                connection.sendall(again)
                if connection.recv(65536) == b"":
                    return
            except TimeoutError:
                continue
            except OSError:
                return


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """What the SDKs import at their first call would count as an answer that does not come."""
    for provider in PROVIDERS:
        with suppress(ProviderFailed):
            ask(provider, "http://127.0.0.1:9", Patience(60))


def ask(provider: str, url: str, patience: Patience) -> None:
    adapter = import_module(f"shared.clients.ai.{provider}")
    adapter.complete(QUESTION, "model", patience, "key", url)


@pytest.mark.parametrize(("provider", "first", "again"), ENDLESS)
def test_a_call_ends_in_time_though_something_arrives_all_the_while(
    provider: str, first: bytes, again: bytes
) -> None:
    with answering(first, again) as url:
        with pytest.raises(ProviderFailed):
            # Only makes the client, which takes a while, too.
            ask(provider, url, Patience(0))
        with pytest.raises(ProviderFailed) as caught:
            ask(provider, url, Patience(SECONDS))
    assert caught.value.kind == "timeout"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_who_has_gone_is_noticed_at_whatever_arrives(provider: str) -> None:
    asked: list[bool] = []

    def gone() -> bool:
        asked.append(True)
        return len(asked) > 6

    first = WHOLE if provider == "groq" else STREAM
    with answering(first, b"\n") as url, pytest.raises(Stopped):
        ask(provider, url, Patience(GIVES_UP_SECONDS * 2, gone))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_answer_that_cannot_be_unpacked_is_a_broken_one(provider: str) -> None:
    packed = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnone"
    with answering(packed) as url, pytest.raises(ProviderFailed) as caught:
        ask(provider, url, Patience(GIVES_UP_SECONDS * 2))
    assert caught.value.kind == "network"


CUT_SHORT = {
    "groq": (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
        b'{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,'
        b'"finish_reason":"length","message":{"role":"assistant","content":"{"}}],'
        b'"usage":{"prompt_tokens":7,"completion_tokens":16,"total_tokens":23}}'
    ),
    "openrouter": (
        STREAM + b'data: {"id":"x","object":"chat.completion.chunk","created":1,"model":"m",'
        b'"choices":[{"index":0,"finish_reason":"length","delta":{"content":"{"}}],"usage":'
        b'{"prompt_tokens":7,"completion_tokens":16,"total_tokens":23}}\n\ndata: [DONE]\n\n'
    ),
    "gemini": (
        STREAM + b'data: {"candidates":[{"content":{"parts":[{"text":"{"}]},"finishReason":'
        b'"MAX_TOKENS"}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":6,'
        b'"thoughtsTokenCount":10}}\n\n'
    ),
}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_answer_that_was_cut_short_tells_what_it_took(provider: str) -> None:
    with answering(CUT_SHORT[provider]) as url, pytest.raises(ProviderFailed) as caught:
        ask(provider, url, Patience(GIVES_UP_SECONDS * 2))
    assert (caught.value.kind, caught.value.tokens) == ("bad_output", (7, 16))


@pytest.mark.parametrize("name", ["httpx", "httpx2"])
def test_no_call_waits_for_another_to_free_its_connection(name: str) -> None:
    http, core = import_module(name), import_module(name.replace("x", "core"))
    count = 120
    with socket.create_server(("127.0.0.1", 0), backlog=count) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with (
            http.Client(transport=patient_network.transport(http, core)) as client,
            ThreadPoolExecutor(count) as pool,
        ):
            sent = [pool.submit(client.get, url) for _ in range(count)]
            server.settimeout(GIVES_UP_SECONDS * 10)
            # None is answered before all have come.
            connections = [server.accept()[0] for _ in range(count)]
            for connection in connections:
                connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
            assert {each.result().status_code for each in sent} == {204}
            for connection in connections:
                connection.close()
