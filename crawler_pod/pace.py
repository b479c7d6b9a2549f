"""How often a host is asked: one turn after the other, with the host's own delay between them."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Protocol


class Pace(Protocol):
    """Turns towards hosts, whoever takes them."""

    async def turn(self, host: str, delay_seconds: float) -> None:
        """Waits until `host` may be asked again."""

    async def hold(self, host: str, seconds: float) -> None:
        """Nobody asks `host` for so long, since it said so."""


class OwnPace:
    """The pace of one process."""

    def __init__(
        self,
        now: Callable[[], float] | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._now = now or asyncio.get_running_loop().time
        self._sleep = sleep
        self._free_at: defaultdict[str, float] = defaultdict(float)
        self._held_until: defaultdict[str, float] = defaultdict(float)

    async def turn(self, host: str, delay_seconds: float) -> None:
        """Takes the next free turn and waits for it; another one if the host asked for a rest."""
        while True:
            now = self._now()
            at = max(now, self._free_at[host], self._held_until[host])
            self._free_at[host] = at + delay_seconds
            if at > now:
                await self._sleep(at - now)
            if self._held_until[host] <= at:
                return

    async def hold(self, host: str, seconds: float) -> None:
        """Puts off every turn that is not yet taken."""
        self._held_until[host] = max(self._held_until[host], self._now() + seconds)


class SharedPace:
    """The part of a pace that is ours, while `pods` of us ask the same hosts."""

    def __init__(self, own: Pace, pods: Callable[[], int]) -> None:
        self._own = own
        self._pods = pods

    async def turn(self, host: str, delay_seconds: float) -> None:
        """As Pace says: among so many, each so many times as seldom."""
        await self._own.turn(host, delay_seconds * self._pods())

    async def hold(self, host: str, seconds: float) -> None:
        """As Pace says; the others are told the same by the host itself."""
        await self._own.hold(host, seconds)
