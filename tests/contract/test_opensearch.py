"""The product's OpenSearch client, by the vendor's library, on a server that keeps its rules."""

import logging
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from local.ports import HOST
from shared.clients import opensearch
from shared.clients.opensearch import Versioned
from shared.errors import (
    ConfigurationError,
    DependencyFailed,
    DependencyTimeout,
    DependencyUnavailable,
    NotFound,
)
from shared.products.search_index import ALIAS, DEFINITION
from tests import search_server

INDEX = f"{ALIAS}-1"
ALL = {"query": {"match_all": {}}, "sort": [{"size": "asc"}]}
WORDS = {"listed": True, "words": "milk", "retailer": "r", "category": "c", "status": "active"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with search_server.started() as server:
        yield server.url


@pytest.fixture
def index(url: str) -> Iterator[str]:
    """An empty index behind the alias."""
    with search_server.configured(url):
        opensearch.create(INDEX, DEFINITION)
        opensearch.point(ALIAS, INDEX)
        yield INDEX
        for each in opensearch.behind(ALIAS):
            opensearch.drop(each)


def document(version: int, size: str, name: str = "p1") -> Versioned:
    return Versioned(name, version, WORDS | {"size": size})


def sizes() -> list[str]:
    opensearch.refresh(ALIAS)
    return [str(hit.fields["size"]) for hit in opensearch.search(ALIAS, ALL)]


def test_of_two_states_the_later_one_stays_in_whatever_order_they_come(index: str) -> None:
    assert opensearch.put(ALIAS, document(5, "5g"))
    assert not opensearch.put(ALIAS, document(5, "again"))
    assert not opensearch.put(ALIAS, document(4, "4g"))
    assert sizes() == ["5g"]
    assert opensearch.put(ALIAS, document(1_764_000_000_000_000, "6g"))
    assert sizes() == ["6g"]
    assert index in opensearch.behind(ALIAS)


def test_many_at_once_keep_to_the_same_rule(index: str) -> None:
    opensearch.put(ALIAS, document(7, "7g"))
    opensearch.put_all(index, [document(6, "6g"), document(1, "1g", "p2"), document(9, "9g", "p3")])
    opensearch.put_all(index, [])
    assert sizes() == ["1g", "7g", "9g"]


def test_what_the_mapping_does_not_know_is_refused(index: str) -> None:
    stranger = Versioned("p1", 1, {"colour": "red"})
    with pytest.raises(DependencyFailed):
        opensearch.put(ALIAS, stranger)
    with pytest.raises(DependencyFailed):
        opensearch.put_all(index, [stranger])
    with pytest.raises(DependencyFailed):
        opensearch.create(index, DEFINITION)


def test_without_its_alias_nothing_is_found_and_nothing_made(url: str) -> None:
    with search_server.configured(url):
        for attempt in (
            lambda: opensearch.search(ALIAS, ALL),
            lambda: opensearch.put(ALIAS, document(1, "1g")),
        ):
            with pytest.raises(NotFound):
                attempt()
        assert opensearch.behind(ALIAS) == []
        assert not opensearch.exists(ALIAS)


def test_a_server_that_is_there_answers_a_ping(url: str) -> None:
    with search_server.configured(url):
        opensearch.ping()


def test_the_alias_goes_over_in_one_step(index: str) -> None:
    opensearch.put(ALIAS, document(1, "old"))
    opensearch.create(f"{ALIAS}-2", DEFINITION)
    assert opensearch.named(f"{ALIAS}-*") == [index, f"{ALIAS}-2"]
    opensearch.point(ALIAS, f"{ALIAS}-2")
    assert sizes() == []
    assert opensearch.behind(ALIAS) == [f"{ALIAS}-2"]
    opensearch.drop(index)
    assert not opensearch.exists(index)


def test_a_server_that_is_away_costs_one_attempt_and_then_a_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    with search_server.configured(f"http://{HOST}:{port}"):
        with pytest.raises(DependencyUnavailable, match="reached"):
            opensearch.ping()
        with pytest.raises(DependencyUnavailable, match="reached"):
            opensearch.put(ALIAS, document(1, "1g"))
        with pytest.raises(DependencyUnavailable, match="reached"):
            opensearch.search(ALIAS, ALL)
        with pytest.raises(DependencyUnavailable, match="resting"):
            opensearch.search(ALIAS, ALL)
        monkeypatch.setattr(opensearch, "_resting_until", time.monotonic() - 1)
        with pytest.raises(DependencyUnavailable, match="reached"):
            opensearch.search(ALIAS, ALL)


def test_a_server_that_is_silent_is_waited_for_a_second(caplog: pytest.LogCaptureFixture) -> None:
    """It takes connections and answers none."""
    with socket.create_server((HOST, 0)) as silent:
        address = f"http://{HOST}:{silent.getsockname()[1]}"
        with search_server.configured(address), caplog.at_level(logging.DEBUG, "opensearch"):
            begun = time.monotonic()
            with pytest.raises(DependencyTimeout):
                opensearch.search(ALIAS, ALL)
            assert time.monotonic() - begun < 2 * opensearch.SEARCH_SECONDS


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("503 Service Unavailable", DependencyUnavailable),
        ("429 Too Many Requests", DependencyUnavailable),
        ("401 Unauthorized", DependencyFailed),
        ("500 Internal Server Error", DependencyFailed),
        ("200 OK", DependencyFailed),
    ],
)
def test_each_bad_answer_is_one_of_our_errors(answer: str, error: type[Exception]) -> None:
    """The last one is no JSON."""
    with socket.create_server((HOST, 0)) as listener:

        def once() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                kind = "Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close"
                connection.sendall(f"HTTP/1.1 {answer}\r\n{kind}\r\n\r\n}}{{".encode())

        answering = threading.Thread(target=once)
        answering.start()
        with (
            search_server.configured(f"http://{HOST}:{listener.getsockname()[1]}"),
            pytest.raises(error),
        ):
            opensearch.search(ALIAS, ALL)
        answering.join()


def test_without_an_address_there_is_no_client() -> None:
    with (
        search_server.configured(""),
        pytest.raises(ConfigurationError, match="OPENSEARCH_URL"),
    ):
        opensearch.client()
