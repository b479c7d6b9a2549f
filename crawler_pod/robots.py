"""What the robots.txt of an origin allows, read once in a crawl."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from protego import Protego

from crawler_pod.addresses import origin
from shared.crawling.hosts import LONGEST_DELAY_SECONDS
from shared.crawling.recipes import USER_AGENT

# RFC 9309: a parser has to read this much, and may leave the rest.
MOST_BYTES: Final = 500 * 1024
_FOUND: Final = 200
_CLIENTS_FAULT: Final = range(400, 500)
_TOO_MANY: Final = 429

# The status and the body of an address; status 0 where nothing answered.
Ask = Callable[[str], Awaitable[tuple[int, bytes]]]


class Rules(NamedTuple):
    """One origin's rules; `parsed` is None where everything is allowed, or nothing is."""

    parsed: Protego | None
    allows_all: bool

    def allow(self, url: str) -> bool:
        """Whether our pod may ask for this address."""
        if self.parsed is None:
            return self.allows_all
        return bool(self.parsed.can_fetch(url, USER_AGENT))

    def delay_seconds(self) -> float:
        """The Crawl-delay that holds for our pod, 0 if none."""
        delay = self.parsed.crawl_delay(USER_AGENT) if self.parsed else None
        return min(float(delay or 0.0), LONGEST_DELAY_SECONDS)


class Robots:
    """The rules of each origin that a crawl meets."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._rules: dict[str, asyncio.Task[Rules]] = {}

    async def rules(self, url: str) -> Rules:
        """The rules for `url`; the first who asks for an origin reads for all."""
        key = origin(url)
        if key not in self._rules:
            self._rules[key] = asyncio.create_task(self._read(key))
        return await asyncio.shield(self._rules[key])

    async def _read(self, key: str) -> Rules:
        status, body = await self._ask(f"{key}/robots.txt")
        if status == _FOUND:
            return Rules(parsed(body), allows_all=True)
        # RFC 9309: absent means allowed, out of reach means disallowed.
        absent = status in _CLIENTS_FAULT and status != _TOO_MANY
        return Rules(None, allows_all=absent)


def parsed(body: bytes) -> Protego:
    """The rules that a robots.txt states, of its first part if it is huge."""
    return Protego.parse(body[:MOST_BYTES].decode("utf-8", "replace").removeprefix("\ufeff"))
