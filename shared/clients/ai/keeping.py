"""Clients that are made once, however many want one in one moment."""

from collections.abc import Callable
from functools import lru_cache, wraps
from threading import Lock
from typing import ParamSpec, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")


def kept(most: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Has a function make one thing for its arguments, the `most` that were last asked for.

    With `lru_cache` alone each of those who come before the first is made makes its own; a client
    of an SDK reads all certificates.
    """

    def decorated(make: Callable[P, T]) -> Callable[P, T]:
        making, cached = Lock(), cast("Callable[P, T]", lru_cache(maxsize=most)(make))

        @wraps(make)
        def kept_or_made(*args: P.args, **kwargs: P.kwargs) -> T:
            with making:
                return cached(*args, **kwargs)

        return kept_or_made

    return decorated
