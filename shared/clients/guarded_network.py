"""Connections to checked addresses only, none of whose steps lasts beyond one deadline.

Imported only by what is about to connect: httpcore is not light.
"""

import ipaddress
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as ResolvingTimeout
from functools import cache
from typing import Any, Final

import httpcore

PORTS: Final = frozenset((80, 443, 8080, 8443))
# Of a name's addresses, so many are tried.
MOST_ADDRESSES: Final = 3
# IPv6 networks that stand for IPv4 addresses: what is behind them is not what they look like.
_TRANSLATED: Final = tuple(
    ipaddress.ip_network(n) for n in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)

Resolve = Callable[[str, int], Sequence[str]]


class Refused(Exception):
    """The address leads where no outsider may send this product; says why."""


def refusal(address: str, port: int, *, loopback: bool) -> str | None:
    """Why nothing may connect there, or None; `loopback` allows that one network, at any port."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if any(ip in network for network in _TRANSLATED):
            return "leads to a translated address"
        ip = ip.ipv4_mapped or ip
    if loopback and ip.is_loopback:
        return None
    closed = ip.is_private or ip.is_multicast or ip.is_reserved or ip.is_unspecified
    # Deprecated, but a machine may still route it at home.
    closed = closed or (isinstance(ip, ipaddress.IPv6Address) and ip.is_site_local)
    if closed or not ip.is_global:
        return "leads to an address that is not public"
    if port not in PORTS:
        return f"must use one of the ports {', '.join(map(str, sorted(PORTS)))}"
    return None


class Deadline:
    """A moment that everything has to be over by."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    def left(self) -> float:
        """The seconds that are left; raises httpcore's ReadTimeout when there are none."""
        remaining = self._ends - time.monotonic()
        if remaining <= 0:
            raise httpcore.ReadTimeout("the time is over")
        return remaining


class Network(httpcore.NetworkBackend):
    """Resolves a name once, checks each of its addresses, and connects to one of these."""

    def __init__(self, deadline: Deadline, resolve: Resolve | None, *, loopback: bool) -> None:
        self._deadline = deadline
        self._resolve = resolve or _resolved
        self._loopback = loopback
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline counts
        local_address: str | None = None,  # noqa: ARG002 - the library's signature
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        """A connection to a checked address; raises Refused, or an error of httpcore."""
        addresses = self._addresses(host, port)
        for address in addresses:
            self._check(address, port)
        for untried, address in reversed(list(enumerate(reversed(addresses)))):
            try:
                stream = self._plain.connect_tcp(
                    address, port, timeout=self._deadline.left(), socket_options=socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if not untried:
                    raise
            else:
                self._check(stream.get_extra_info("server_addr")[0], port)
                return _Stream(stream, self._deadline)
        raise httpcore.ConnectError("the name has no address")

    def _check(self, address: str, port: int) -> None:
        if why := refusal(address, port, loopback=self._loopback):
            raise Refused(why)

    def _addresses(self, host: str, port: int) -> list[str]:
        try:
            found = _resolver().submit(self._resolve, host, port).result(self._deadline.left())
        except ResolvingTimeout:
            raise httpcore.ConnectTimeout("the name was not resolved in time") from None
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(str(error)) from error
        return list(found)[:MOST_ADDRESSES]


class _Stream(httpcore.NetworkStream):
    """A connection whose every step ends by the deadline, however slowly the other side talks."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - the deadline counts
        return self._inner.read(max_bytes, self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - the deadline counts
        self._inner.write(buffer, self._deadline.left())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: Any,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - the deadline counts
    ) -> httpcore.NetworkStream:
        left = self._deadline.left()
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


@cache
def _resolver() -> ThreadPoolExecutor:
    # The system's resolver takes no timeout.
    return ThreadPoolExecutor(max_workers=4, thread_name_prefix="resolve")


def _resolved(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
