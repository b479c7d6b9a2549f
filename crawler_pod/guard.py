"""No connection of a crawl goes to a machine that only this network reaches.

Addresses are checked where a socket is about to be made for them, so that neither a redirect, nor
another way to write an address, nor a name that resolves differently a moment later helps anybody.
"""

import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import AddrInfoType

from shared.clients.guarded_network import MOST_ADDRESSES, Refused, refusal

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

# Google's name for what 169.254.169.254 is elsewhere: refused even where it does not resolve.
_METADATA: Final = frozenset(("metadata.google.internal", "metadata"))
_MOST_KEPT: Final = 100
_SCHEMES: Final = {"http": 80, "https": 443}


class Guard:
    """What a crawl may connect to: public ones, and the one local address that is opened."""

    def __init__(
        self, opened: tuple[str, int] | None = None, resolve: Resolve | None = None
    ) -> None:
        self._opened = opened
        self._resolve = resolve
        self._passed: set[tuple[str, str]] = set()

    def check_url(self, url: str) -> None:
        """Raises Refused for what is refused without being resolved."""
        parts = urlsplit(url)
        # Nothing else of an address counts, and a crawl asks few hosts for many pages.
        asked = (parts.scheme, parts.netloc)
        if asked in self._passed:
            return
        self._check_parts(parts)
        if len(self._passed) < _MOST_KEPT:
            self._passed.add(asked)

    def _check_parts(self, parts: SplitResult) -> None:
        if parts.scheme not in _SCHEMES or not parts.hostname:
            raise Refused("must begin with http:// or https://, and name a host")
        if parts.username is not None or parts.password is not None:
            raise Refused("must hold no user name or password")
        if parts.hostname.rstrip(".").lower() in _METADATA:
            raise Refused("leads to the metadata server")
        if (address := literal(parts.hostname)) is not None:
            self.check(address, parts.port or _SCHEMES[parts.scheme])

    def check(self, address: str, port: int) -> None:
        """Raises Refused unless a socket may be connected to this address."""
        if why := refusal(address, port, loopback=(address, port) == self._opened):
            raise Refused(why)

    async def addresses(self, host: str, port: int) -> list[str]:
        """The checked addresses of a name; raises Refused, or OSError where it has none."""
        found = await (self._resolve or resolved)(host, port)
        for address in found[:MOST_ADDRESSES]:
            self.check(address, port)
        return list(found[:MOST_ADDRESSES])

    def make_socket(self, target: AddrInfoType) -> socket.socket:
        """A socket for an address that is checked once more; raises Refused."""
        family, kind, protocol, _, address = target
        self.check(str(address[0]), int(address[1]))
        return socket.socket(family, kind, protocol)

    def connector(self, at_once: int) -> aiohttp.TCPConnector:
        """What makes the connections of a crawl."""
        return aiohttp.TCPConnector(
            resolver=_Resolver(self),
            socket_factory=self.make_socket,
            limit=at_once,
            ttl_dns_cache=60,
            # It would try a second address beside the first, which the host's pace forbids.
            happy_eyeballs_delay=None,
        )


class _Resolver(AbstractResolver):
    """Gives aiohttp the checked addresses, which are then connected to instead of the name."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002 - every family is checked
    ) -> list[ResolveResult]:
        """The addresses of `host`; raises Refused or OSError."""
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in await self._guard.addresses(host, port)
        ]

    async def close(self) -> None:
        """Nothing is held."""


def literal(host: str) -> str | None:
    """The address that `host` is, in whatever form a system's resolver would take; else None."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return None
    return str(found[0][4][0])


async def resolved(host: str, port: int) -> list[str]:
    """The system's addresses of a name; raises OSError."""
    import asyncio

    found: list[Any] = await asyncio.get_running_loop().getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    )
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
