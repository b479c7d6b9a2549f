"""How often a host is asked: one turn after the other, with the host's own delay between them."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from math import inf
from typing import Final, NamedTuple, Protocol

from shared.crawling.hosts import (
    LONGEST_DELAY_SECONDS,
    LONGEST_REST_SECONDS,
    MOST_HOSTS,
    HostShare,
    HostWord,
)

# A host that asks for a longer rest is left alone for this crawl.
MOST_WAITED_SECONDS: Final = 120.0
# Rests that end together are one.
_SAME_SECONDS: Final = 1.0
_ALONE: Final = HostShare()


class Resting(Exception):
    """The host wants to be left alone for longer than a page waits; says how long."""


class Pace(Protocol):
    """Turns towards hosts, whoever takes them."""

    async def turn(self, host: str, delay_seconds: float) -> None:
        """Waits until `host` may be asked again; raises Resting."""

    async def hold(self, host: str, seconds: float) -> None:
        """Nobody asks `host` for so long, since it said so."""


class Part(NamedTuple):
    """One pod's turns among those of others: every `round_seconds` from `begins_at`.

    A turn that the others' clock moves by up to `slack_seconds` is the same turn still.
    """

    begins_at: float
    round_seconds: float
    slack_seconds: float

    def next(self, earliest: float, free: float) -> float:
        """When its next turn is."""
        at = max(earliest, free - self.slack_seconds)
        return at + (self.begins_at - at) % self.round_seconds


class OwnPace:
    """The pace of one process."""

    def __init__(
        self,
        now: Callable[[], float] | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._now = now or asyncio.get_running_loop().time
        self._sleep = sleep
        self._taken_at: dict[str, float] = {}
        self._held_until: defaultdict[str, float] = defaultdict(float)

    async def turn(self, host: str, delay_seconds: float, part: "Part | None" = None) -> None:
        """Takes the next free turn and waits for it; another one if the host asked for a rest.

        Where the turn is a part of a round, it waits for that.
        """
        while True:
            now = self._now()
            held = self._held_until[host]
            if held - now > MOST_WAITED_SECONDS:
                raise Resting(f"asks to be left alone for {held - now:.0f} s")
            free = self._taken_at.get(host, -inf) + delay_seconds
            at = max(now, free, held) if part is None else part.next(max(now, held), free)
            self._taken_at[host] = at
            if at > now:
                await self._sleep(at - now)
            if self._held_until[host] <= at:
                return

    async def hold(self, host: str, seconds: float) -> None:
        """Puts off every turn that is not yet taken."""
        until = self._now() + min(seconds, LONGEST_REST_SECONDS)
        self._held_until[host] = max(self._held_until[host], until)

    def now(self) -> float:
        """The moment by this process's clock."""
        return self._now()

    def rest_seconds(self, host: str) -> float:
        """How long `host` is still held."""
        return max(self._held_until[host] - self._now(), 0.0)


class SharedPace:
    """The part of a pace that is ours, while others ask the same hosts.

    `listen` tells the others what is new and hears what they know, unless that was so lately;
    it calls `words` and `hear`.
    """

    def __init__(self, own: OwnPace, listen: Callable[[], Awaitable[None]]) -> None:
        self._own = own
        self._listen = listen
        self._delays: dict[str, float] = {}
        self._shares: Mapping[str, HostShare] = {}
        self._begins_at: dict[str, float] = {}
        self.news = False

    async def turn(self, host: str, delay_seconds: float) -> None:
        """As Pace says: among so many, each so many times as seldom, by the longest delay."""
        if len(self._delays) < MOST_HOSTS or host in self._delays:
            known = self._delays.get(host, 0.0)
            self._delays[host] = min(max(known, delay_seconds), LONGEST_DELAY_SECONDS)
        while True:
            await self._own.turn(host, *self._part(host, delay_seconds))
            # Another may have been told to leave the host alone while this one waited.
            await self._listen()
            if not self._own.rest_seconds(host):
                return

    def _part(self, host: str, delay_seconds: float) -> tuple[float, Part | None]:
        share = self._shares.get(host, _ALONE)
        delay = max(delay_seconds, share.delay_seconds)
        whole = delay * share.pods
        if share.pods == 1 or not whole:
            return whole, None
        return whole, Part(self._begins_at[host], whole, delay / 2)

    async def hold(self, host: str, seconds: float) -> None:
        """As Pace says; the others are told at once."""
        before = self._own.rest_seconds(host)
        await self._own.hold(host, seconds)
        if self._own.rest_seconds(host) > before + _SAME_SECONDS:
            self.news = True
            await self._listen()

    def words(self) -> list[HostWord]:
        """What is to be told of the hosts that were asked."""
        self.news = False
        return [
            HostWord(host, delay, self._own.rest_seconds(host))
            for host, delay in self._delays.items()
        ]

    async def hear(self, shares: Mapping[str, HostShare]) -> None:
        """What is known of them; of those that are left out, what was known before."""
        self._shares = {**self._shares, **shares}
        for host, share in shares.items():
            self._begins_at[host] = self._own.now() + share.turn_seconds
            if share.rest_seconds:
                await self._own.hold(host, share.rest_seconds)
