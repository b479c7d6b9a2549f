"""A transport for the SDKs' HTTP libraries, none of whose steps lasts beyond a call's patience.

The libraries' timeouts begin anew with each byte that arrives, and an SDK drops the comments of a
stream unseen: whoever drips, or only says that it is still at work, would be waited for for ever.
Both libraries (httpx with httpcore, and their successors) are served, whichever an SDK uses.

Of many calls that begin in one moment few build their requests at a time: that is work of this
process, and what else it serves would wait for all of them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import BoundedSemaphore
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from shared.clients.ai.asking import Patience, ProviderFailed

if TYPE_CHECKING:
    from ssl import SSLContext

BUILDING_AT_ONCE: Final = 2
_building = BoundedSemaphore(BUILDING_AT_ONCE)


class _Call:
    """A call that an SDK makes; it is being built until it first turns to the network."""

    def __init__(self, patience: Patience) -> None:
        self.patience = patience
        self._is_building = _building.acquire(timeout=patience.left())

    def is_built(self) -> None:
        if self._is_building:
            self._is_building = False
            _building.release()


# Clients are kept, and a connection serves one call after the other.
_call: ContextVar[_Call | None] = ContextVar("call", default=None)


@contextmanager
def held_to(patience: Patience) -> Iterator[None]:
    """Has each step of the calls inside end in time; raises Stopped where the caller has gone."""
    call = _Call(patience)
    token = _call.set(call)
    try:
        patience.check()
        yield
    except ProviderFailed:
        # Whatever the SDK made of the end of a step.
        patience.check()
        raise
    finally:
        call.is_built()
        _call.reset(token)


def transport(http: ModuleType, core: ModuleType, context: "SSLContext | None" = None) -> Any:
    """A transport of `http`, whose network is `core`, with a TLS context of its own or this one."""
    # Who waits for a connection waits in no step that has an end: there are as many as calls.
    made = http.HTTPTransport(
        verify=True if context is None else context,
        limits=http.Limits(max_connections=None, max_keepalive_connections=40),
    )
    # The library takes a network for its pool, but hands none through.
    made._pool._network_backend = _Network(core)  # noqa: SLF001 - the library's only way
    return made


class _Network:
    def __init__(self, core: ModuleType) -> None:
        self._core = core
        self._plain = core.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> Any:
        left = _left(timeout, self._core.ConnectTimeout)
        stream = self._plain.connect_tcp(host, port, left, local_address, socket_options)
        return _Stream(stream, self._core)


class _Stream:
    def __init__(self, inner: Any, core: ModuleType) -> None:
        self._inner = inner
        self._core = core

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        read: bytes = self._inner.read(max_bytes, _left(timeout, self._core.ReadTimeout))
        return read

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(timeout, self._core.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> "_Stream":
        left = _left(timeout, self._core.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._core)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _left(timeout: float | None, over: type[Exception]) -> float | None:
    """The seconds that one step may take; raises `over` where there are none."""
    call = _call.get()
    if call is None:
        return timeout
    call.is_built()
    left = call.patience.left()
    if left <= 0:
        raise over("the time is over")
    return left if timeout is None else min(timeout, left)
