"""What every provider is asked and answers, and how it fails: one taxonomy for all of them."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, Final, Literal

import msgspec

from shared.clock import Clock, utc_now
from shared.errors import DependencyError

FailureKind = Literal[
    "rate_limited",
    "overloaded",
    "timeout",
    "refused",
    "bad_key",
    "no_service",
    "bad_output",
    "network",
]
CONNECT_SECONDS: Final = 5.0
# No more than a bound: how long a call may take is for its patience to say.
STEP_SECONDS: Final = 60.0
LONGEST_WAIT_SECONDS: Final = 3600.0
_UNKNOWN_WAIT_SECONDS: Final = 10.0
# Fixed, since vendors repeat keys and prompts in theirs.
_TOLD: Final[dict[FailureKind, str]] = {
    "rate_limited": "The provider takes no more calls for now.",
    "overloaded": "The provider failed or is overloaded.",
    "timeout": "The provider did not answer in time.",
    "refused": "The provider refused the request.",
    "bad_key": "The provider does not accept the key.",
    "no_service": "The provider wants to be paid first, or does not know the model.",
    "bad_output": "The provider's answer is not what was asked for.",
    "network": "The provider cannot be reached, or its answer broke off.",
}
_BY_STATUS: Final[dict[int, FailureKind]] = {
    401: "bad_key",
    402: "no_service",
    403: "bad_key",
    404: "no_service",
    408: "timeout",
    429: "rate_limited",
    504: "timeout",
}
_SERVER_ERROR: Final = 500


class Question(msgspec.Struct, frozen=True):
    """One product to classify: as a prompt with its answer's JSON Schema, and as plain text."""

    system: str
    user: str
    schema: dict[str, Any]
    text: str
    max_tokens: int


class Reply(msgspec.Struct, frozen=True):
    """What a provider answered, unread, and the tokens that it took."""

    text: str
    input_tokens: int = 0
    output_tokens: int = 0


class ProviderFailed(DependencyError):
    """A provider did not do its part; `wait_seconds` is how long it asks to be left alone.

    `tokens`, of input and output, are what it took all the same.
    """

    status: ClassVar[int] = 502
    title: ClassVar[str] = "An AI provider failed"

    def __init__(
        self, kind: FailureKind, wait_seconds: float = 0.0, tokens: tuple[int, int] = (0, 0)
    ) -> None:
        super().__init__(_TOLD[kind])
        self.kind = kind
        self.wait_seconds = wait_seconds
        self.tokens = tokens


class Stopped(Exception):
    """The caller has gone, so nobody waits for the answer."""


class Patience:
    """How long an answer may take in all, and whether anybody still waits for it."""

    def __init__(self, seconds: float, stopped: Callable[[], bool] = lambda: False) -> None:
        self._end = time.monotonic() + seconds
        self._stopped = stopped

    def check(self) -> None:
        """Raises Stopped, or ProviderFailed where the time is over."""
        if self._stopped():
            raise Stopped
        if time.monotonic() >= self._end:
            raise ProviderFailed("timeout")

    def left(self) -> float:
        """The seconds that are left; none where the time is over or nobody waits."""
        return 0.0 if self._stopped() else max(0.0, self._end - time.monotonic())


def of_status(status: int, retry_after: str | None) -> ProviderFailed:
    """The failure that an HTTP status stands for."""
    kind = _BY_STATUS.get(status, "overloaded" if status >= _SERVER_ERROR else "refused")
    return ProviderFailed(kind, wait_of(retry_after) if kind == "rate_limited" else 0.0)


def wait_of(retry_after: str | None, clock: Clock = utc_now) -> float:
    """The seconds that a `Retry-After` asks for, as such or as a date of HTTP.

    Ten where it says nothing that can be read.
    """
    told = (retry_after or "").strip()
    try:
        seconds = float(told.removesuffix("s"))
    except ValueError:
        seconds = _seconds_until(told, clock())
    if not 0 <= seconds < float("inf"):
        return _UNKNOWN_WAIT_SECONDS
    return min(max(seconds, 0.1), LONGEST_WAIT_SECONDS)


def _seconds_until(date: str, now: datetime) -> float:
    """Until then, 0 where that is past; infinite where it is no date."""
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return float("inf")
    # An HTTP date is in GMT, whatever it says of that.
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())
