"""Addresses of pages: one form for each, and where they belong."""

import re
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

# They say where a visitor came from, and lead to the same page.
_TRACKING: Final = re.compile(r"utm_\w+|gclid|fbclid|msclkid|mc_[ce]id|_ga", re.IGNORECASE)
_USUAL_PORTS: Final = {"http": 80, "https": 443}
_SAFE: Final = "/:@!$&'()*+,;=~-._%"


def joined(base: str, link: str) -> str | None:
    """The address that `link` on the page `base` leads to, in one form; None if to no page."""
    try:
        url = normal(urljoin(base, link.strip()))
    except ValueError:
        return None
    return url if url.startswith(("http://", "https://")) else None


def normal(url: str) -> str:
    """`url` in the form by which pages are told apart; raises ValueError if it cannot be read."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    host = (parts.hostname or "").rstrip(".")
    host = f"[{host}]" if ":" in host else host
    port = parts.port
    if parts.username is not None:
        host = f"{parts.username}@{host}"
    if port is not None and port != _USUAL_PORTS.get(scheme):
        host = f"{host}:{port}"
    kept = [
        pair
        for pair in parse_qsl(parts.query, keep_blank_values=True)
        if not _TRACKING.fullmatch(pair[0])
    ]
    path = quote(parts.path or "/", safe=_SAFE)
    return urlunsplit((scheme, host, path, urlencode(sorted(kept)), ""))


def origin(url: str) -> str:
    """Scheme, host and port: what one robots.txt speaks for."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def host(url: str) -> str:
    """The host and port that a pace is kept towards."""
    return urlsplit(url).netloc.rpartition("@")[2]
