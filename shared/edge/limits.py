"""Rate limits: fixed windows of a minute in Redis, per function and caller."""

import logging
import time
from functools import cache
from typing import TYPE_CHECKING, Final

import msgspec

from shared.clients import redis
from shared.config import settings
from shared.edge.declaration import LimitClass
from shared.errors import LimitExceeded

if TYPE_CHECKING:
    from upstash_ratelimit import Ratelimit

log = logging.getLogger(__name__)

PER_MINUTE: Final[dict[LimitClass, int]] = {
    "standard": 100,
    "heavy": 10,
    "authentication": 5,
    "instance": 600,
}
WINDOW_SECONDS: Final = 60
MAX_CALLERS: Final = 10_000


class Allowance(msgspec.Struct, frozen=True):
    """What is left of a window; `reset_at` is in epoch seconds."""

    limit: int
    remaining: int
    reset_at: int
    allowed: bool = True

    def headers(self) -> dict[str, str]:
        """The three headers that every answer carries."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset_at),
        }

    def check(self) -> None:
        """Raises LimitExceeded, with the seconds until the window is over."""
        if not self.allowed:
            raise LimitExceeded(max(1, self.reset_at - int(time.time())))


def per_minute(limit: LimitClass) -> int:
    """How many calls of `limit` are allowed a minute, under this process's scale."""
    return max(1, int(PER_MINUTE[limit] * settings().rate_limit_scale))


def take(limit: LimitClass, function: str, caller: str) -> Allowance:
    """Counts one call and says what is left.

    Without Redis the standard and heavy limits fail open, and the authentication limit is
    counted in this instance alone. The instance limit never leaves the process.
    """
    if limit == "instance":
        return _in_process(limit, function, caller)
    counted = _in_redis(limit, function, caller)
    if counted is not None:
        return counted
    if limit == "authentication":
        return _in_process(limit, function, caller)
    log.warning("Rate limit failed open", extra={"context": {"limit": limit}})
    return Allowance(per_minute(limit), per_minute(limit), _window_end())


def _in_redis(limit: LimitClass, function: str, caller: str) -> Allowance | None:
    if redis.client() is None:
        return None
    answer = redis.try_call(lambda _: _limiter(limit).limit(f"{function}:{caller}"))
    if answer is None:
        return None
    return Allowance(answer.limit, answer.remaining, int(answer.reset), answer.allowed)


@cache
def _limiter(limit: LimitClass) -> "Ratelimit":
    from upstash_ratelimit import FixedWindow, Ratelimit

    client = redis.client()
    assert client is not None  # noqa: S101 - the caller has looked
    window = FixedWindow(max_requests=per_minute(limit), window=WINDOW_SECONDS)
    return Ratelimit(redis=client, limiter=window, prefix=f"limit:{limit}")


_counts: dict[tuple[str, str, int], int] = {}


def _in_process(limit: LimitClass, function: str, caller: str) -> Allowance:
    reset_at = _window_end()
    key = (function, caller, reset_at)
    if len(_counts) >= MAX_CALLERS:
        for old in [k for k in _counts if k[2] != reset_at] or list(_counts):
            _counts.pop(old, None)
    used = _counts[key] = _counts.get(key, 0) + 1
    allowed = per_minute(limit)
    return Allowance(allowed, max(0, allowed - used), reset_at, used <= allowed)


def _window_end() -> int:
    now = int(time.time())
    return now - now % WINDOW_SECONDS + WINDOW_SECONDS
