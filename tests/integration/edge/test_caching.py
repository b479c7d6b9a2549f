"""The response cache on a real Redis: no page from before a write is found after it."""

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from local.stack import Stack
from shared.clients import redis
from shared.edge import cache
from shared.edge.declaration import Cached
from shared.errors import DependencyUnavailable
from tests.integration.edge.instance import begin_anew, instance, served
from tests.sessions import log_in


@pytest.fixture
def cached() -> Cached:
    return Cached(f"toys-{secrets.token_hex(6)}", ttl_seconds=60)


@pytest.fixture
def _instance(stack: Stack) -> Iterator[None]:
    # Generous, since a busy machine must not look like a Redis that is away.
    with instance(stack.environment(), REDIS_TIMEOUT_SECONDS="5"):
        yield


@pytest.fixture
def _without_redis(stack: Stack) -> Iterator[None]:
    with instance(stack.environment(), UPSTASH_REDIS_REST_URL="http://127.0.0.1:9"):
        yield


def page(cached: Cached, identity: str = "/x?") -> bytes | None:
    return cache.look_up(None, cached, identity).page


def generation(cached: Cached) -> str | None:
    return cache.look_up(None, cached, "/x?").generation


@pytest.mark.usefixtures("_instance")
class TestGenerations:
    def test_what_was_stored_is_found(self, cached: Cached) -> None:
        assert page(cached) is None
        body = '{"name": "caf\u00e9"}'.encode()
        cache.store(cached, generation(cached), "/x?", body)
        assert page(cached) == body
        assert page(cached, "/x?other") is None

    def test_a_write_makes_every_page_unfindable(self, cached: Cached) -> None:
        cache.store(cached, generation(cached), "/x?", b"before")
        cache.bump(cached.namespace, 1000)
        assert page(cached) is None

    def test_a_slow_reader_stores_what_nobody_finds(self, cached: Cached) -> None:
        taken = generation(cached)
        cache.bump(cached.namespace, 1000)
        cache.store(cached, taken, "/x?", b"stale")
        assert page(cached) is None
        cache.store(cached, generation(cached), "/x?", b"fresh")
        cache.store(cached, taken, "/x?", b"stale")
        assert page(cached) == b"fresh"

    def test_another_instance_follows(self, cached: Cached) -> None:
        cache.store(cached, generation(cached), "/x?", b"one")
        begin_anew()
        assert page(cached) == b"one"
        begin_anew()
        cache.bump(cached.namespace, 1000)
        cache.store(cached, generation(cached), "/x?", b"two")
        cache._last_seen[cached.namespace] = "a generation of long ago"
        assert page(cached) == b"two"

    def test_a_redis_that_forgot_never_revives_a_page(self, cached: Cached) -> None:
        old = generation(cached)
        cache.store(cached, old, "/x?", b"old")
        redis.must_call(lambda r: r.delete(cache.generation_key(cached.namespace)))
        assert page(cached) is None
        assert generation(cached) != old
        assert page(cached) is None

    def test_the_trigger_bumps_only_where_no_later_commit_did(self, cached: Cached) -> None:
        cache.bump(cached.namespace, 2000)
        known = generation(cached)
        for commit in (1, 1999, 2000):
            cache.ensure_bumped(cached.namespace, commit)
            assert generation(cached) == known
        cache.ensure_bumped(cached.namespace, 2001)
        assert generation(cached) != known

    def test_the_trigger_makes_up_for_a_lost_bump(self, cached: Cached) -> None:
        cache.store(cached, generation(cached), "/x?", b"before")
        cache.ensure_bumped(cached.namespace, 1)
        assert page(cached) is None

    def test_pages_and_generations_do_not_stay_forever(self, cached: Cached) -> None:
        known = generation(cached)
        assert known is not None
        cache.store(cached, known, "/x?", b"page")
        key = cache.page_key(cached.namespace, known, "/x?")
        lives = redis.must_call(lambda r: r.ttl(key))
        stands = redis.must_call(lambda r: r.ttl(cache.generation_key(cached.namespace)))
        assert lives is not None
        assert 0 < lives <= 60
        assert stands is not None
        assert lives < stands <= cache.GENERATION_SECONDS

    def test_namespaces_are_apart(self, cached: Cached) -> None:
        other = Cached(cached.namespace + "x", 60)
        cache.store(cached, generation(cached), "/x?", b"page")
        cache.bump(other.namespace, 1000)
        assert page(cached) == b"page"
        assert page(other) is None


@pytest.mark.usefixtures("_without_redis")
class TestWithoutRedis:
    def test_everything_is_a_miss_and_nothing_fails(self, cached: Cached) -> None:
        assert cache.look_up("session:x", cached, "/x?") == cache.Lookup()
        assert cache.look_up("session:x", None, "/x?") == cache.Lookup()
        cache.store(cached, "1-x", "/x?", b"page")
        cache.bump(cached.namespace, 1000)
        assert page(cached) is None

    def test_the_trigger_is_told_so_that_it_comes_again(self, cached: Cached) -> None:
        with pytest.raises(DependencyUnavailable):
            cache.ensure_bumped(cached.namespace, 1000)

    def test_a_dead_redis_is_left_alone_for_a_while(self, cached: Cached) -> None:
        asked: list[int] = []

        def ask(_: Any) -> None:
            asked.append(1)

        page(cached)
        redis.try_call(ask)
        assert asked == []
        redis.try_call(ask, even_if_resting=True)
        assert asked == [1]


class TestThroughAFunction:
    def test_the_second_answer_is_a_hit_until_a_write(self, stack: Stack) -> None:
        headers = {"Cookie": f"__session={log_in(stack).cookie}"}
        query = secrets.token_hex(4)
        with served(stack, "listing", REDIS_TIMEOUT_SECONDS="5") as http:
            cache.bump("toys", 1)
            first, again = (http.get("/listing", headers=headers) for _ in range(2))
            assert first.headers["X-Cache"] == "MISS"
            assert again.headers["X-Cache"] == "HIT"
            assert first.data == again.data
            refused = http.get(f"/listing?{query}=1", headers=headers)
            assert refused.status_code == 422
            cache.bump("toys", 2)
            fresh = http.get("/listing", headers=headers)
            assert fresh.headers["X-Cache"] == "MISS"
            assert fresh.get_json()["calls"] == first.get_json()["calls"] + 1

    def test_a_page_in_the_cache_opens_to_nobody_without_the_role(self, stack: Stack) -> None:
        headers = {"Cookie": f"__session={log_in(stack).cookie}"}
        with served(stack, "listing", REDIS_TIMEOUT_SECONDS="5") as http:
            http.get("/listing", headers=headers)
            assert http.get("/listing", headers=headers).headers["X-Cache"] == "HIT"
            assert http.get("/listing").status_code == 401

    @pytest.mark.parametrize("url", ["http://127.0.0.1:9", None])
    def test_without_redis_the_answer_is_the_same(self, stack: Stack, url: str | None) -> None:
        headers = {"Cookie": f"__session={log_in(stack).cookie}"}
        with served(stack, "listing", UPSTASH_REDIS_REST_URL=url) as http:
            answers = [http.get("/listing", headers=headers) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert [answer.headers["X-Cache"] for answer in answers] == ["MISS", "MISS"]
        assert (
            answers[0].headers["X-RateLimit-Limit"] == answers[0].headers["X-RateLimit-Remaining"]
        )
