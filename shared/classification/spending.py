"""What calls have cost today, counted in Redis: a figure to look at, not the books."""

from collections.abc import Sequence
from typing import Final

from shared.clients import redis
from shared.clock import Clock, utc_now

KEPT_SECONDS: Final = 3 * 24 * 3600


def add(provider: str, micros: int, clock: Clock = utc_now) -> None:
    """Adds the cost of a call, in millionths of a US dollar; lost where Redis is away."""
    if micros <= 0:
        return
    key = _key(provider, clock)
    redis.try_call(lambda r: r.incrby(key, micros))
    redis.try_call(lambda r: r.expire(key, KEPT_SECONDS))


def today(providers: Sequence[str], clock: Clock = utc_now) -> dict[str, int] | None:
    """Each provider's spend of this day (UTC) in millionths of a dollar; None without Redis."""
    keys = [_key(provider, clock) for provider in providers]
    found = redis.try_call(lambda r: r.mget(*keys))
    if found is None:
        return None
    return {name: int(value or 0) for name, value in zip(providers, found, strict=True)}


def _key(provider: str, clock: Clock) -> str:
    return f"ai:spend:{provider}:{clock().date().isoformat()}"
