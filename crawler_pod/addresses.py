"""Addresses of pages: one form for each, and where they belong."""

import re
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

# They say where a visitor came from, and lead to the same page.
_TRACKING: Final = re.compile(r"utm_\w+|gclid|fbclid|msclkid|mc_[ce]id|_ga", re.IGNORECASE)
_USUAL_PORTS: Final = {"http": 80, "https": 443}
_SAFE: Final = "/:@!$&'()*+,;=~-._%"
# Most links of most shops are in the one form already, which is seen in a tenth of the time. A port
# of four digits and more is no scheme's usual one.
_PLAIN_HOST: Final = r"https?://[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::(?:[1-9][0-9]{3}|[1-5][0-9]{4}))?"
_PLAIN_PATH: Final = r"(?:/(?!\.)[A-Za-z0-9._~-]+)*/?"
_PLAIN: Final = re.compile(rf"{_PLAIN_HOST}(?=/){_PLAIN_PATH}")
_PLAIN_LINK: Final = re.compile(rf"(?=/){_PLAIN_PATH}")
_PLAIN_BASE: Final = re.compile(rf"{_PLAIN_HOST}(?=/)")
# A longer one leads to no page for people, and many of them would fill the memory.
MOST_CHARS: Final = 2_000


def joined(base: str, link: str) -> str | None:
    """The address that `link` on the page `base` leads to, in one form; None if to no page."""
    if len(base) > MOST_CHARS or len(link) > MOST_CHARS:
        return None
    link = link.strip()
    if _PLAIN.fullmatch(link):
        return link
    if _PLAIN_LINK.fullmatch(link) and (begins := _PLAIN_BASE.match(base)):
        return _bounded(f"{begins[0]}{link}")
    try:
        url = normal(urljoin(base, link))
    except ValueError:
        return None
    return _bounded(url) if url.startswith(("http://", "https://")) else None


def _bounded(url: str) -> str | None:
    return url if len(url) <= MOST_CHARS else None


def normal(url: str) -> str:
    """`url` in the form by which pages are told apart; raises ValueError if it cannot be read."""
    if _PLAIN.fullmatch(url):
        return url
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
    path = quote(_without_dots(parts.path) or "/", safe=_SAFE)
    return urlunsplit((scheme, host, path, urlencode(sorted(kept)), ""))


def _without_dots(path: str) -> str:
    """RFC 3986, 5.2.4: "/a/../private" is asked for as "/private", and judged as that."""
    kept: list[str] = []
    plain = ""
    for segment in path.split("/"):
        plain = re.sub("%2e", ".", segment, flags=re.IGNORECASE)
        if plain == "..":
            # The empty one before the first slash stays.
            del kept[max(1, len(kept) - 1) :]
        elif plain != ".":
            kept.append(segment)
    return "/".join([*kept, ""] if plain in (".", "..") else kept)


def origin(url: str) -> str:
    """Scheme, host and port: what one robots.txt speaks for."""
    if plain := _PLAIN_BASE.match(url):
        return plain[0]
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def host(url: str) -> str:
    """The host and port that a pace is kept towards."""
    if plain := _PLAIN_BASE.match(url):
        return plain[0].partition("//")[2]
    return urlsplit(url).netloc.rpartition("@")[2]
