"""The state of what the product stands on, asked of all parts at once and kept nowhere."""

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Final, Literal

from shared.clock import rfc3339, utc_now
from shared.errors import DependencyError, ShoppleError
from shared.system.schemas import LastError, PartState, SystemStatus
from shared.system.status_parts import PARTS, Part

SLOW_MS: Final = 1000.0
# The answer takes no longer, whatever a part does; each client gives up by itself before.
DEADLINE_SECONDS: Final = 3.0
# Without these the product stops; without others it only slows down or falls behind.
INDISPENSABLE: Final = frozenset({"firestore"})

# What an instance remembers of the parts that it saw fail; a new one begins without.
_last_errors: dict[str, LastError] = {}


def read(parts: Sequence[Part] = PARTS, deadline_seconds: float = DEADLINE_SECONDS) -> SystemStatus:
    """Every part's state; one that fails or does not answer in time is reported, never raised."""
    pool = ThreadPoolExecutor(len(parts))
    asked = {part.name: pool.submit(_ask, part) for part in parts}
    wait(asked.values(), deadline_seconds)
    # A part that is still silent is not waited for.
    pool.shutdown(wait=False, cancel_futures=True)
    now = rfc3339(utc_now())
    told = [
        _remembered(_told(name, answer, deadline_seconds), now) for name, answer in asked.items()
    ]
    return SystemStatus(status=_worst(told), checked_at=now, parts=told)


def _ask(part: Part) -> PartState:
    started = time.perf_counter()
    try:
        told = part.ask()
    except DependencyError as error:
        told = PartState(part.name, "down", 0.0, error.detail)
    except (ShoppleError, OSError, ValueError) as error:
        told = PartState(part.name, "down", 0.0, type(error).__name__)
    if told.state != "off":
        told.latency_ms = round((time.perf_counter() - started) * 1000, 1)
    if told.state == "ok" and told.latency_ms > SLOW_MS:
        told.state = "degraded"
    return told


def _told(name: str, answer: "Future[PartState]", deadline_seconds: float) -> PartState:
    if not answer.done() or answer.cancelled():
        latency_ms = round(deadline_seconds * 1000, 1)
        return PartState(name, "down", latency_ms, f"No answer within {deadline_seconds:g} s.")
    if (error := answer.exception()) is not None:
        return PartState(name, "down", 0.0, type(error).__name__)
    return answer.result()


def _remembered(part: PartState, now: str) -> PartState:
    if part.state == "down":
        _last_errors[part.name] = LastError(now, part.detail or "")
    part.last_error = _last_errors.get(part.name)
    return part


def _worst(parts: list[PartState]) -> Literal["ok", "degraded", "down"]:
    if any(part.state == "down" and part.name in INDISPENSABLE for part in parts):
        return "down"
    if any(part.state in ("down", "degraded") for part in parts):
        return "degraded"
    return "ok"
