"""What one instance has worked out, for others to take over: bytes in Firestore, in parts.

Each has a fixed name. It is written in one commit; parts that are not of one version are none, and
those of a larger one before it go by Firestore's own TTL. Whoever finds nothing works it out
himself, and no failure here is more than a warning.
"""

import logging
import secrets
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.clock import Clock, utc_now
from shared.errors import ShoppleError

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

log = logging.getLogger(__name__)

COLLECTION: Final = "classification_artefacts"
PART_BYTES: Final = 90_000
# A commit takes ten million.
MOST_BYTES: Final = 8_000_000
# Clocks of two instances may be so far apart.
CLOCKS_SECONDS: Final = 5.0
# What is old may still be of use to whoever works it out anew.
KEPT: Final = timedelta(days=30)
# Somebody waits: what does not come at once is worked out, and what does not go is not handed over.
_LIMITS: Final[dict[str, Any]] = {"timeout": 3.0, "retry": None}


class _Head(msgspec.Struct, frozen=True):
    of: str
    version: str
    made_at: datetime
    fresh_seconds: float
    parts: int
    content: bytes
    expires_at: datetime


class Artefact(msgspec.Struct, frozen=True):
    """What was worked out, and for how long it is as good as new; not at all from 0 on."""

    content: bytes
    left_seconds: float


@cache
def rules(*modules: ModuleType) -> str:
    """A digest of the modules' source: of what another version has made nobody knows what it is."""
    told = sha256()
    for module in modules:
        told.update(Path(str(module.__file__)).read_bytes())
    return told.hexdigest()[:16]


def read(
    name: str,
    of: str,
    *,
    even_if_old: bool = False,
    least_seconds: float = 0.0,
    now: Clock = utc_now,
) -> Artefact | None:
    """The artefact if it was made of the same (`of`); None where there is none that is fresh.

    One that is good for no more than `least_seconds` counts as old.
    """
    try:
        head = _head(name)
        if head is None or head.of != of:
            return None
        age_seconds = (now() - head.made_at).total_seconds()
        # Of a moment that is still to come nobody knows how long ago it was.
        left = head.fresh_seconds - age_seconds if age_seconds > -CLOCKS_SECONDS else 0.0
        if left <= least_seconds and not even_if_old:
            return None
        content = _content(name, head)
    except (ShoppleError, msgspec.ValidationError) as error:
        _warn(name, error)
        return None
    return None if content is None else Artefact(content, min(left, head.fresh_seconds))


def write(name: str, of: str, content: bytes, fresh_seconds: float, now: Clock = utc_now) -> None:
    """Hands the content over, as made now, unless it is too large for that."""
    if len(content) > MOST_BYTES:
        return
    version = secrets.token_hex(8)
    parts = [content[at : at + PART_BYTES] for at in range(0, len(content), PART_BYTES)] or [b""]
    made_at = now()
    expires_at = made_at + KEPT
    head = _Head(of, version, made_at, fresh_seconds, len(parts), parts[0], expires_at)
    try:
        with firestore.errors_mapped():
            batch = firestore.client().batch()
            batch.set(_reference(name, 0), msgspec.structs.asdict(head))
            for number, part in enumerate(parts[1:], 1):
                fields = {"version": version, "content": part, "expires_at": expires_at}
                batch.set(_reference(name, number), fields)
            batch.commit(**_LIMITS)
    except ShoppleError as error:
        _warn(name, error)


def _head(name: str) -> _Head | None:
    with firestore.errors_mapped():
        snapshot = _reference(name, 0).get(**_LIMITS)
    return firestore.record_of(snapshot, _Head)


def _content(name: str, head: _Head) -> bytes | None:
    rest = [_reference(name, number) for number in range(1, head.parts)]
    found: dict[str, dict[str, Any]] = {}
    if rest:
        with firestore.errors_mapped():
            read = firestore.client().get_all(rest, **_LIMITS)
            found = {each.id: each.to_dict() or {} for each in read}
    parts = [found.get(each.id, {}) for each in rest]
    # It may have been written anew since its head was read.
    if any(part.get("version") != head.version for part in parts):
        return None
    return b"".join([head.content, *(part.get("content", b"") for part in parts)])


def _reference(name: str, number: int) -> "DocumentReference":
    path = f"{name}-{number}" if number else name
    return firestore.client().collection(COLLECTION).document(path)


def _warn(name: str, error: Exception) -> None:
    context = {"artefact": name, "why": f"{type(error).__name__}: {error}"}
    log.warning("An artefact is not at hand", extra={"context": context})
