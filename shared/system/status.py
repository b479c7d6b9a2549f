"""The state of what the product stands on, asked of all parts at once."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Literal

from shared.clients import firestore, redis, scheduler, storage, tasks
from shared.clock import rfc3339, utc_now
from shared.config import settings
from shared.errors import DependencyError, ShoppleError
from shared.system.schemas import PartState, SystemStatus

SLOW_MS: Final = 1000.0
# Without these the product only slows down or falls behind; without others it stops.
DISPENSABLE: Final = frozenset({"redis", "storage", "tasks", "scheduler"})


def read() -> SystemStatus:
    """Every part's state; a part that fails is reported, never raised."""
    asked: dict[str, Callable[[], None]] = {
        "firestore": firestore.ping,
        "redis": redis.ping,
        "storage": storage.ping,
        "tasks": tasks.ping,
        "scheduler": scheduler.ping,
    }
    with ThreadPoolExecutor(len(asked)) as pool:
        parts = list(pool.map(lambda item: _ask(*item), asked.items()))
    return SystemStatus(status=_worst(parts), checked_at=rfc3339(utc_now()), parts=parts)


def _ask(name: str, ping: Callable[[], None]) -> PartState:
    if name == "redis" and settings().redis_url is None:
        return PartState(name, "off", 0.0, "UPSTASH_REDIS_REST_URL is not set")
    started = time.perf_counter()
    detail = None
    try:
        ping()
    except DependencyError as error:
        detail = error.detail
    except (ShoppleError, OSError, ValueError) as error:
        detail = type(error).__name__
    latency_ms = round((time.perf_counter() - started) * 1000, 1)
    if detail is not None:
        return PartState(name, "down", latency_ms, detail)
    return PartState(name, "degraded" if latency_ms > SLOW_MS else "ok", latency_ms)


def _worst(parts: list[PartState]) -> Literal["ok", "degraded", "down"]:
    if any(part.state == "down" and part.name not in DISPENSABLE for part in parts):
        return "down"
    if any(part.state in ("down", "degraded") for part in parts):
        return "degraded"
    return "ok"
