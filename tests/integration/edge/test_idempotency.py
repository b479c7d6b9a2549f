"""Idempotency keys against the database that keeps them."""

import secrets
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.stack import Stack
from shared.edge.idempotency import KEPT, LEASE, MAX_ANSWER_BYTES, Kept, Key
from shared.errors import Conflict, Invalid
from tests.integration.edge.instance import instance, served
from tests.task_cloud import ManualClock

JSON = {"Content-Type": "application/json"}
START = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def name() -> str:
    return secrets.token_hex(8)


class TestThroughAFunction:
    @pytest.fixture
    def http(self, stack: Stack) -> Iterator[Any]:
        with served(stack, "words") as client:
            yield client

    def post(self, http: Any, word: str, key: str | None) -> Any:
        headers = JSON | ({"Idempotency-Key": key} if key is not None else {})
        return http.post("/words", json={"word": word}, headers=headers)

    def test_a_repeat_gets_the_first_answer(self, http: Any, name: str) -> None:
        first, again = (self.post(http, "one", name) for _ in range(2))
        assert first.status_code == again.status_code == 201
        assert first.data == again.data
        assert "Idempotency-Replayed" not in first.headers
        assert again.headers["Idempotency-Replayed"] == "true"
        assert again.mimetype == "application/json"
        other = self.post(http, "one", name + "x")
        assert other.get_json()["calls"] == first.get_json()["calls"] + 1

    def test_without_a_key_each_call_runs(self, http: Any) -> None:
        first, again = (self.post(http, "one", None).get_json()["calls"] for _ in range(2))
        assert again == first + 1

    def test_another_body_under_the_same_key_is_refused(self, http: Any, name: str) -> None:
        assert self.post(http, "one", name).status_code == 201
        refused = self.post(http, "two", name)
        assert refused.status_code == 422
        assert refused.get_json()["errors"][0]["field"] == "Idempotency-Key"

    def test_a_failure_of_the_server_frees_the_key(self, http: Any, name: str) -> None:
        for word, status in (("broken", 500), ("away", 503)):
            key = name + word
            first, again = (self.post(http, word, key) for _ in range(2))
            assert first.status_code == again.status_code == status
            assert "Idempotency-Replayed" not in again.headers
            assert self.post(http, "one", key).status_code == 201

    def test_a_failure_of_the_caller_is_kept(self, http: Any, name: str) -> None:
        first, again = (self.post(http, "taken", name) for _ in range(2))
        assert first.status_code == again.status_code == 409
        assert again.headers["Idempotency-Replayed"] == "true"
        assert again.mimetype == "application/problem+json"

    def test_a_body_that_is_refused_takes_no_key(self, http: Any, name: str) -> None:
        headers = JSON | {"Idempotency-Key": name}
        assert http.post("/words", json={"x": 1}, headers=headers).status_code == 422
        assert self.post(http, "one", name).status_code == 201

    def test_two_at_once_run_once(self, http: Any, name: str) -> None:
        def send(_: int) -> Any:
            with http.application.test_client() as client:
                return self.post(client, "one", name)

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(send, range(4)))
        done = [answer for answer in answers if answer.status_code == 201]
        assert len({answer.data for answer in done}) == 1
        assert {answer.status_code for answer in answers} <= {201, 409}

    @pytest.mark.parametrize("key", ["", "x" * 201, "caf\u00e9", "a\tb"])
    def test_a_key_is_short_plain_text(self, http: Any, key: str) -> None:
        assert self.post(http, "one", key).status_code == 422

    def test_an_unexpected_failure_shows_nothing_of_the_inside(self, http: Any) -> None:
        answer = self.post(http, "broken", None)
        assert answer.status_code == 500
        for private in ("srv", "Traceback", "RuntimeError", ".py", "secret"):
            assert private not in answer.text


class TestInTime:
    @pytest.fixture(autouse=True)
    def _instance(self, stack: Stack) -> Iterator[None]:
        with instance(stack.environment()):
            yield

    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock(START)

    def test_while_the_first_runs_a_repeat_is_a_conflict(
        self, name: str, clock: ManualClock
    ) -> None:
        first, again = (Key(name, "uid", "/p", b"b", clock) for _ in range(2))
        assert first.begin() is None
        with pytest.raises(Conflict):
            again.begin()
        clock.now += LEASE - timedelta(seconds=1)
        with pytest.raises(Conflict):
            again.begin()
        with pytest.raises(Invalid):
            Key(name, "uid", "/p", b"other", clock).begin()

    def test_after_the_lease_somebody_else_takes_over(self, name: str, clock: ManualClock) -> None:
        lost, heir = (Key(name, "uid", "/p", b"b", clock) for _ in range(2))
        assert lost.begin() is None
        clock.now += LEASE
        assert heir.begin() is None
        with pytest.raises(Conflict):
            lost.begin()
        heir.finish(201, b"answer", "text/plain")
        assert lost.begin() == Kept(201, b"answer", "text/plain")

    def test_only_one_takes_over(self, name: str, clock: ManualClock) -> None:
        assert Key(name, "uid", "/p", b"b", clock).begin() is None
        clock.now += LEASE

        def take_over(_: int) -> bool:
            try:
                return Key(name, "uid", "/p", b"b", clock).begin() is None
            except Conflict:
                return False

        with ThreadPoolExecutor(6) as pool:
            assert sum(pool.map(take_over, range(6))) == 1

    def test_after_a_day_the_key_is_new(self, name: str, clock: ManualClock) -> None:
        first = Key(name, "uid", "/p", b"b", clock)
        assert first.begin() is None
        first.finish(200, b"answer", "text/plain")
        clock.now += KEPT - timedelta(seconds=1)
        assert Key(name, "uid", "/p", b"b", clock).begin() is not None
        clock.now += timedelta(seconds=1)
        assert Key(name, "uid", "/p", b"other body", clock).begin() is None

    def test_callers_and_paths_do_not_share_keys(self, name: str, clock: ManualClock) -> None:
        for owner, path in (("a", "/p"), ("b", "/p"), ("a", "/q")):
            assert Key(name, owner, path, b"b", clock).begin() is None

    def test_an_answer_too_large_to_keep_is_not_made_twice(
        self, name: str, clock: ManualClock
    ) -> None:
        key = Key(name, "uid", "/p", b"b", clock)
        assert key.begin() is None
        key.finish(200, secrets.token_bytes(MAX_ANSWER_BYTES + 1), "text/plain")
        with pytest.raises(Conflict, match="too large"):
            key.begin()

    def test_whoever_reads_the_database_reads_no_answer(
        self, name: str, clock: ManualClock
    ) -> None:
        stored = []
        for each in (name, name + "x"):
            key = Key(each, "uid", "/p", b"b", clock)
            assert key.begin() is None
            key.finish(201, b"told once", "text/plain")
            fields = key._document().get().to_dict() or {}
            assert name not in str(fields)
            stored.append(fields["answer"])
            with pytest.raises(zlib.error):
                zlib.decompress(stored[-1])
            assert key.begin() == Kept(201, b"told once", "text/plain")
        assert b"told" not in b"".join(stored)
        assert stored[0] != stored[1]

    def test_under_another_secret_key_nothing_is_told_or_done_again(
        self, stack: Stack, name: str, clock: ManualClock
    ) -> None:
        key = Key(name, "uid", "/p", b"b", clock)
        assert key.begin() is None
        key.finish(201, b"told once", "text/plain")
        with (
            instance(stack.environment(), SECRET_KEY=secrets.token_hex(32)),
            pytest.raises(Conflict, match="read no more"),
        ):
            key.begin()
