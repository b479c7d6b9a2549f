"""HTTP to addresses that people give: never to a machine that only this network reaches.

The name is resolved once, each of its addresses is checked, and the connection goes to a checked
address and not to the name, so that a name which resolves differently a moment later gains
nothing. Each redirect is a connection of its own and takes the same way.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import msgspec

from shared.config import settings
from shared.errors import (
    DependencyFailed,
    DependencyRefused,
    DependencyTimeout,
    DependencyUnavailable,
    Invalid,
)

if TYPE_CHECKING:
    import httpcore
    import httpx

REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))
# Of the answers below 500 those that another day may be different.
_LATER: Final = frozenset((408, 425, 429))
_SERVERS_FAULT: Final = 500
_ACCEPTED: Final = 2


class Reply(msgspec.Struct, frozen=True):
    """What was answered; `url` is the last redirect's, and `whole` whether all of it was read.

    Names of `headers` are in lower case; the content is as it was sent, with no encoding undone.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    content: bytes
    whole: bool


class Ask(msgspec.Struct, frozen=True):
    """What is sent to each address on the way; at most `most_bytes` of an answer are read."""

    method: str
    most_bytes: int
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    content: bytes = b""


def get(url: str, *, most_bytes: int, most_redirects: int, seconds: float, field: str) -> Reply:
    """What a GET answers in the end, `seconds` for all of it. Raises as `send`."""
    return send(url, Ask("GET", most_bytes), seconds, field=field, most_redirects=most_redirects)


def post(  # noqa: PLR0913 - each is a limit that the caller has to think of
    url: str,
    content: bytes,
    headers: Mapping[str, str],
    *,
    most_bytes: int = 4096,
    seconds: float = 10.0,
    field: str = "url",
) -> Reply:
    """What a POST answers; a redirect is an answer like any other. Raises as `send`."""
    return send(url, Ask("POST", most_bytes, headers, content), seconds, field=field)


def check_address(url: str, field: str) -> None:
    """Raises Invalid naming `field` for an address that would be refused without being resolved."""
    import ipaddress

    from shared.clients.guarded_network import Refused, refusal

    with _errors_mapped(field):
        target = _checked(url)
        try:
            literal = str(ipaddress.ip_address(target.host))
        except ValueError:
            return
        port = target.port or (443 if target.scheme == "https" else 80)
        if why := refusal(literal, port, loopback=settings().fetch_loopback):
            raise Refused(why)


def check_accepted(reply: Reply, whom: str) -> None:
    """Passes an answer of 2xx; raises DependencyUnavailable or, for good, DependencyRefused."""
    if reply.status // 100 == _ACCEPTED:
        return
    if reply.status in _LATER or reply.status >= _SERVERS_FAULT:
        raise DependencyUnavailable(f"{whom} answered {reply.status}.")
    raise DependencyRefused(f"{whom} answered {reply.status}.")


def send(  # noqa: PLR0913 - likewise
    url: str,
    ask: Ask,
    seconds: float,
    *,
    field: str = "url",
    most_redirects: int = 0,
    resolve: Callable[[str, int], Sequence[str]] | None = None,
) -> Reply:
    """The answer of the last address on the way; `resolve` takes the place of the system's.

    Raises Invalid naming `field` where the address is at fault and trying again helps nothing,
    else a DependencyError.
    """
    import httpcore

    from shared.clients.guarded_network import Deadline, Network

    with _errors_mapped(field):
        network = Network(Deadline(seconds), resolve, loopback=settings().fetch_loopback)
        with httpcore.ConnectionPool(max_connections=1, network_backend=network) as pool:
            return _followed(pool, url, ask, most_redirects)


def _followed(pool: "httpcore.ConnectionPool", url: str, ask: Ask, most_redirects: int) -> Reply:
    from shared.clients.guarded_network import Refused

    target = _checked(url)
    for _ in range(most_redirects + 1):
        reply = _exchange(pool, target, ask)
        location = reply.headers.get("location")
        if not most_redirects or reply.status not in REDIRECTS or not location:
            return reply
        target = _checked(location, target)
    raise Refused(f"redirects more than {most_redirects} times")


def _checked(url: str, base: "httpx.URL | None" = None) -> "httpx.URL":
    import httpx

    from shared.clients.guarded_network import Refused

    try:
        target = httpx.URL(url) if base is None else base.join(url)
    except (httpx.InvalidURL, ValueError):
        raise Refused("is not an address") from None
    if target.scheme not in ("http", "https") or not target.host:
        raise Refused("must begin with http:// or https://, and name a host")
    if target.userinfo:
        raise Refused("must hold no user name or password")
    return target


def _exchange(pool: "httpcore.ConnectionPool", url: "httpx.URL", ask: Ask) -> Reply:
    import httpcore

    sent = {"Host": url.netloc.decode(), "User-Agent": "Shopple", "Accept-Encoding": "identity"}
    sent |= ask.headers
    if ask.content:
        sent["Content-Length"] = str(len(ask.content))
    target = httpcore.URL(
        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
    )
    received = bytearray()
    with pool.stream(
        ask.method, target, headers=list(sent.items()), content=ask.content
    ) as response:
        for piece in response.iter_stream():
            received += piece
            if len(received) > ask.most_bytes:
                break
        answered = [(k.decode("latin-1"), v.decode("latin-1")) for k, v in response.headers]
    return Reply(
        url=str(url),
        status=response.status,
        headers={name.lower(): value for name, value in answered},
        content=bytes(received[: ask.most_bytes]),
        whole=len(received) <= ask.most_bytes,
    )


@contextmanager
def _errors_mapped(field: str) -> Iterator[None]:
    import httpcore

    from shared.clients.guarded_network import Refused

    try:
        yield
    except Refused as error:
        raise Invalid.one(field, str(error)) from None
    except httpcore.TimeoutException as error:
        raise DependencyTimeout("The address did not answer in time.") from error
    except httpcore.NetworkError as error:
        raise DependencyUnavailable("The address cannot be reached.") from error
    except (httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
        raise DependencyFailed("The address does not speak HTTP.") from error
