"""Upstash Redis: a cache and a counter that may be away at any time."""

import logging
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from shared.config import settings
from shared.errors import DependencyUnavailable

if TYPE_CHECKING:
    from upstash_redis import Redis

T = TypeVar("T")
log = logging.getLogger(__name__)

# After a failure the request path leaves Redis alone this long, so that one dead server
# costs one timeout a second and not one for each call.
REST_AFTER_FAILURE_SECONDS = 1.0
_resting_until = 0.0


@cache
def client() -> "Redis | None":
    """The client, made on first use; None where no Redis is configured."""
    configured = settings()
    if configured.redis_url is None:
        return None
    import httpx
    from upstash_redis import Redis

    redis = Redis(
        url=configured.redis_url,
        token=configured.redis_token,
        # All that is kept is text, which JSON carries as it is.
        rest_encoding=None,
        rest_retries=0,
        allow_telemetry=False,
    )
    # The client sets no timeout of its own and offers no argument for one.
    redis._http._client.timeout = httpx.Timeout(  # noqa: SLF001
        configured.redis_timeout_seconds
    )
    return redis


def try_call(call: "Callable[[Redis], T]", *, even_if_resting: bool = False) -> T | None:
    """The call's result, or None where Redis is absent, away or resting after a failure."""
    try:
        return must_call(call, even_if_resting=even_if_resting)
    except DependencyUnavailable:
        return None


def must_call(call: "Callable[[Redis], T]", *, even_if_resting: bool = True) -> T | None:
    """The call's result, None without a configured Redis; raises DependencyUnavailable."""
    global _resting_until  # noqa: PLW0603 - one breaker for the process, as there is one client
    redis = client()
    if redis is None:
        return None
    if time.monotonic() < _resting_until and not even_if_resting:
        raise DependencyUnavailable("Redis is resting after a failure.")
    from httpx import HTTPError, InvalidURL
    from upstash_redis.errors import UpstashError

    try:
        return call(redis)
    except (HTTPError, InvalidURL, UpstashError, ValueError) as error:
        _resting_until = time.monotonic() + REST_AFTER_FAILURE_SECONDS
        log.warning("Redis failed", extra={"context": {"error": type(error).__name__}})
        raise DependencyUnavailable("Redis cannot be reached.") from error


def set_all(texts: Mapping[str, str], ttl_seconds: int) -> None:
    """Keeps each text under its key, in one round trip; silent where Redis is away."""

    def call(redis: "Redis") -> object:
        pipeline = redis.pipeline()
        for key, text in texts.items():
            pipeline.set(key, text, ex=ttl_seconds)
        return pipeline.exec()

    try_call(call)


def ping() -> None:
    """Asks Redis for a sign of life; raises DependencyUnavailable."""
    must_call(lambda redis: redis.ping())
