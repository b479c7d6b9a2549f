"""The headers that every answer carries, CORS and compression."""

import gzip
from typing import Final

from shared.config import settings

SECURITY: Final = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-XSS-Protection": "0",
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; object-src 'none'",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cache-Control": "private, no-store",
    "Vary": "Origin, Accept-Encoding, Cookie",
}
COMPRESS_ABOVE_BYTES: Final = 1024
# 4 compresses JSON nearly as well as 11 at a small part of its time.
BROTLI_QUALITY: Final = 4
GZIP_LEVEL: Final = 5

# Authorization carries a ticket to the streams, which are on the functions' own hosts.
_CORS_HEADERS: Final = (
    "Authorization, Content-Type, X-CSRF-Token, Idempotency-Key, If-Match, X-Request-Id"
)
_EXPOSED: Final = (
    "ETag, Retry-After, X-Cache, X-Request-Id, X-RateLimit-Limit, X-RateLimit-Remaining, "
    "X-RateLimit-Reset, Idempotency-Replayed"
)


def cors(origin: str | None) -> dict[str, str]:
    """The CORS headers for a call from the one origin that may make it; none for others."""
    if origin is None or origin != settings().frontend_origin:
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": _EXPOSED,
    }


def preflight(origin: str | None, methods: list[str]) -> dict[str, str]:
    """The answer to a CORS preflight."""
    allowed = cors(origin)
    if not allowed:
        return {}
    return {
        **allowed,
        "Access-Control-Allow-Methods": ", ".join(methods),
        "Access-Control-Allow-Headers": _CORS_HEADERS,
        "Access-Control-Max-Age": "600",
    }


class Brotli(bytes):
    """A body that is compressed already, to be sent or kept as it is."""


def compressed_once(body: bytes) -> bytes:
    """The body as `compressed` and a cache can share it: in brotli, unless it is short."""
    if len(body) <= COMPRESS_ABOVE_BYTES:
        return body
    import brotli

    return Brotli(brotli.compress(body, quality=BROTLI_QUALITY))


def compressed(body: bytes, accept_encoding: str) -> tuple[bytes, str | None]:
    """The body in the best encoding that the client takes, and that encoding's name."""
    if not isinstance(body, Brotli) and len(body) <= COMPRESS_ABOVE_BYTES:
        return body, None
    accepted = _accepted(accept_encoding)
    if "br" in accepted:
        return (body if isinstance(body, Brotli) else compressed_once(body)), "br"
    if isinstance(body, Brotli):
        import brotli

        body = brotli.decompress(body)
    if "gzip" in accepted:
        return gzip.compress(body, GZIP_LEVEL, mtime=0), "gzip"
    return body, None


def _accepted(header: str) -> set[str]:
    accepted = set()
    for part in header.split(","):
        name, _, parameters = part.partition(";")
        if parameters.strip().replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            accepted.add(name.strip().lower())
    return accepted
