"""When what is kept for a while is renewed: not by all instances in one moment.

Whatever several have taken over ends for all of them at once. So each looks a little earlier, at a
moment of its own; the first to look finds nothing newer, and works it out for those who come after.
"""

import random
from typing import Final, Generic, TypeVar

import msgspec

from shared.classification.artefacts import CLOCKS_SECONDS

T = TypeVar("T")

EARLY_SECONDS: Final = 60.0
# Of what is good for a short while no more than this is given away.
_EARLY_SHARE: Final = 0.25


class Kept(msgspec.Struct, Generic[T], frozen=True):
    """What is kept; the moments are those of the monotonic clock."""

    value: T
    renew_at: float
    ends_at: float


def kept(value: T, began: float, fresh_seconds: float) -> Kept[T]:
    """The value, which is good for so long from `began` on, and is renewed a little before."""
    ends_at = began + fresh_seconds
    early_seconds = min(EARLY_SECONDS, _EARLY_SHARE * fresh_seconds)
    return Kept(value, ends_at - random.uniform(0, early_seconds), ends_at)  # noqa: S311 - no secret


def least_seconds(before: Kept[T] | None, now: float) -> float:
    """For how long more than this another one must be good to be newer than the one before."""
    return 0.0 if before is None else max(0.0, before.ends_at + CLOCKS_SECONDS - now)
