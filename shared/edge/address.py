"""The caller's network address, as the nearest proxy that we trust reports it."""

import ipaddress
from collections.abc import Iterable
from functools import cache

from shared.config import settings

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def client_address(forwarded_for: str | None, peer: str | None) -> str:
    """The last hop of `X-Forwarded-For` that is none of `TRUSTED_PROXIES`.

    Google's front end appends the address it saw, so the right end of the header is true; a caller
    can forge only the left end. By the function's own URL that hop is the caller, by Hosting it is
    one of Hosting's edge, whose networks are therefore to be trusted.
    """
    hops = [hop.strip() for hop in (forwarded_for or "").split(",") if hop.strip()]
    return _first_untrusted(hops or [peer or ""], _trusted())


def _first_untrusted(hops: list[str], trusted: Iterable[Network]) -> str:
    for hop in reversed(hops):
        try:
            address = ipaddress.ip_address(hop)
        except ValueError:
            continue
        if not any(address in network for network in trusted):
            return str(address)
    return hops[0] if hops else ""


@cache
def _trusted() -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(cidr, strict=False) for cidr in settings().trusted_proxies)
