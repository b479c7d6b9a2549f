"""Moments as callers write them."""

from datetime import UTC, datetime
from typing import Final

_DATE_CHARACTERS: Final = len("2026-01-31")
_REFUSED: Final = "must be a time of RFC 3339, such as 2026-01-31T12:00:00Z"


def parse_moment(text: str, *, end_of_day: bool = False) -> datetime:
    """RFC 3339, or a date, which means its beginning or its end in UTC; raises ValueError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(_REFUSED) from None
    if len(text) == _DATE_CHARACTERS and "T" not in text and "W" not in text:
        moment = moment.replace(tzinfo=UTC)
        return (
            moment.replace(hour=23, minute=59, second=59, microsecond=999_999)
            if end_of_day
            else moment
        )
    if moment.tzinfo is None:
        raise ValueError(_REFUSED)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(_REFUSED) from None
