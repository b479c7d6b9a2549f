"""The response cache: pages in Redis under a generation that each write replaces.

A generation is `<commit time in microseconds>-<random>`. A reader takes the generation before it
reads Firestore and stores its page under it, so a page read before a write can never be found
after it. The trigger compares its event's commit time with the generation's, and replaces only
one that is older: a bulk write bumps once, and a bump that was lost is made up for.
"""

import hashlib
import logging
import secrets
from base64 import b64decode, b64encode
from typing import Final

import msgspec

from shared.clients import redis
from shared.edge.declaration import Cached
from shared.edge.headers import Brotli

log = logging.getLogger(__name__)

GENERATION_SECONDS: Final = 7 * 24 * 3600
# No JSON text begins so.
_BROTLI: Final = "br:"

_last_seen: dict[str, str] = {}


class Lookup(msgspec.Struct, frozen=True):
    """What one round trip found: the session's copy, the generation and perhaps the page."""

    session_copy: str | None = None
    generation: str | None = None
    page: bytes | None = None


def generation_key(namespace: str) -> str:
    """Where Redis keeps the namespace's generation."""
    return f"{namespace}:generation"


def page_key(namespace: str, generation: str, identity: str) -> str:
    """Where Redis keeps the page that `identity` (path and query) names."""
    digest = hashlib.sha256(identity.encode()).hexdigest()[:32]
    return f"{namespace}:{generation}:{digest}"


def look_up(session_key: str | None, cached: Cached | None, identity: str) -> Lookup:
    """Session copy, generation and page in one round trip, guessing the generation last seen."""
    found = _look_up(session_key, cached, identity)
    if log.isEnabledFor(logging.DEBUG):
        context = {
            "namespace": cached and cached.namespace,
            "page": cached and ("MISS" if found.page is None else "HIT"),
            "generation": found.generation,
            "session": "MISS" if found.session_copy is None else "HIT",
        }
        log.debug("Cache asked", extra={"context": context})
    return found


def _look_up(session_key: str | None, cached: Cached | None, identity: str) -> Lookup:
    if cached is None:
        if session_key is None:
            return Lookup()
        return Lookup(session_copy=redis.try_call(lambda r: r.get(session_key)))
    guess = _last_seen.get(cached.namespace, "none")
    keys = [
        session_key or "session:none",
        generation_key(cached.namespace),
        page_key(cached.namespace, guess, identity),
    ]
    found = redis.try_call(lambda r: r.mget(*keys))
    if found is None:
        return Lookup()
    session_copy, generation, page = found
    if generation is None:
        return Lookup(session_copy, _begin(cached.namespace), None)
    _last_seen[cached.namespace] = generation
    if generation != guess:
        key = page_key(cached.namespace, generation, identity)
        page = redis.try_call(lambda r: r.get(key))
    return Lookup(session_copy, generation, None if page is None else _unpacked(page))


def store(cached: Cached, generation: str | None, identity: str, page: bytes) -> None:
    """Keeps a page, compressed or not, under the generation that was read before it was made."""
    if generation is None:
        return
    key = page_key(cached.namespace, generation, identity)
    text = _packed(page)
    redis.try_call(lambda r: r.set(key, text, ex=cached.ttl_seconds))


def generation(namespace: str) -> str | None:
    """The namespace's generation, to be taken before what is kept under it is read.

    None where Redis is away: nothing is kept then.
    """
    key = generation_key(namespace)
    return redis.try_call(lambda r: r.get(key)) or _begin(namespace)


def bump(namespace: str, commit_micros: int) -> None:
    """Replaces the generation after a commit; silent where Redis is away: the trigger repairs."""
    fresh = _token(commit_micros)
    key = generation_key(namespace)
    redis.try_call(lambda r: r.set(key, fresh, ex=GENERATION_SECONDS), even_if_resting=True)


def ensure_bumped(namespace: str, commit_micros: int) -> None:
    """Replaces the generation unless a commit as late as this one did; raises a DependencyError."""
    key = generation_key(namespace)
    current = redis.must_call(lambda r: r.get(key))
    if current is not None and int(current.partition("-")[0]) >= commit_micros:
        return
    fresh = _token(commit_micros)
    redis.must_call(lambda r: r.set(key, fresh, ex=GENERATION_SECONDS))


def _packed(page: bytes) -> str:
    # A page that is kept as it is sent saves every later call the compressing.
    return _BROTLI + b64encode(page).decode() if isinstance(page, Brotli) else page.decode()


def _unpacked(text: str) -> bytes:
    if text.startswith(_BROTLI):
        return Brotli(b64decode(text[len(_BROTLI) :]))
    return text.encode()


def _begin(namespace: str) -> str | None:
    key = generation_key(namespace)
    redis.try_call(lambda r: r.set(key, _token(0), nx=True, ex=GENERATION_SECONDS))
    return redis.try_call(lambda r: r.get(key))


def _token(commit_micros: int) -> str:
    return f"{commit_micros}-{secrets.token_hex(8)}"
