"""What found no room in a day's limit: for a moment, nobody looks again for as much or more."""

import time
from typing import Final

import msgspec

# What others give back meanwhile is found so much later.
KEPT_SECONDS: Final = 20.0


class _Refusal(msgspec.Struct, frozen=True):
    day: str
    limit: int
    micros: int
    until: float


# The last of each provider, so it never grows: whatever is refused after it is smaller or later.
_last: dict[str, _Refusal] = {}


def is_refused(provider: str, day: str, limit: int, micros: int) -> bool:
    """Whether so much, or less, was refused a moment ago, on that day and with that limit."""
    last = _last.get(provider)
    if last is None or (last.day, last.limit) != (day, limit):
        return False
    return micros >= last.micros and time.monotonic() < last.until


def remember(provider: str, day: str, limit: int, micros: int) -> None:
    """Says that there was no room for so much."""
    _last[provider] = _Refusal(day, limit, micros, time.monotonic() + KEPT_SECONDS)
