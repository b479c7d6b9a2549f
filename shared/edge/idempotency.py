"""Idempotency keys: the first answer is kept for a day and given again.

The record is created before the handler runs (as aws-powertools does it), so that two calls
with one key never both run; it is removed again when the call fails in a way that a retry
may mend.

An answer may hold what is told once, or somebody's name. So it is sealed by a key that is made of
the secret key and the caller's own key: who can read the database cannot read it.
"""

import hashlib
import hmac
import secrets
import zlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore
from shared.clock import Clock, utc_now
from shared.config import settings
from shared.errors import Conflict, Invalid

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

COLLECTION: Final = "idempotency"
HEADER: Final = "Idempotency-Key"
KEPT: Final = timedelta(hours=24)
# One function's longest run: after it, whoever held the key is gone.
LEASE: Final = timedelta(minutes=10)
MAX_KEY_CHARS: Final = 200
MAX_ANSWER_BYTES: Final = 900_000
_NONCE_BYTES: Final = 12


class Kept(msgspec.Struct, frozen=True):
    """An answer that was given before."""

    status: int
    body: bytes
    content_type: str
    etag: str | None = None


class Key:
    """One caller's key for one path: `begin`, then `finish` or `abandon`."""

    def __init__(
        self, key: str, owner: str, path: str, body: bytes, clock: Clock = utc_now
    ) -> None:
        """Raises Invalid for a key that is empty, too long or not plain ASCII."""
        if not (0 < len(key) <= MAX_KEY_CHARS) or not key.isascii() or not key.isprintable():
            raise Invalid.one(HEADER, f"must be 1 to {MAX_KEY_CHARS} printable ASCII characters")
        self._name = f"{owner}\n{path}\n{key}".encode()
        self._id = hashlib.sha256(self._name).hexdigest()
        self._fingerprint = hashlib.sha256(body).hexdigest()
        self._clock = clock

    def begin(self) -> Kept | None:
        """The kept answer, or None for the first call, which must then finish or abandon.

        Raises Invalid for another body under the same key and Conflict while the first runs.
        """
        now = self._clock()
        try:
            with firestore.errors_mapped():
                self._document().create(self._running(now), **firestore.limits())
        except Conflict:
            return self._repeat(now)
        return None

    def finish(self, status: int, body: bytes, content_type: str, etag: str | None = None) -> None:
        """Keeps the answer for 24 hours."""
        packed = self._sealed(zlib.compress(body))
        too_large = len(packed) > MAX_ANSWER_BYTES
        with firestore.errors_mapped():
            self._document().update(
                {
                    "state": "done",
                    "status": status,
                    "answer": b"" if too_large else packed,
                    "too_large": too_large,
                    "content_type": content_type,
                    "etag": etag,
                },
                **firestore.limits(),
            )

    def abandon(self) -> None:
        """Frees the key, so that the same call may be tried again."""
        with firestore.errors_mapped():
            self._document().delete(**firestore.limits())

    def _repeat(self, now: datetime) -> Kept | None:
        with firestore.errors_mapped():
            snapshot = self._document().get(**firestore.limits())
        known = snapshot.to_dict()
        if known is None or known["expires_at"] <= now:
            self._take_over(snapshot, now)
            return None
        if known["fingerprint"] != self._fingerprint:
            raise Invalid.one(HEADER, "was used before with another body")
        if known["state"] == "done":
            return self._kept(known)
        if known["lease_until"] <= now:
            self._take_over(snapshot, now)
            return None
        raise Conflict("A call with this idempotency key is still running.")

    def _take_over(self, snapshot: Any, now: datetime) -> None:
        option = (
            firestore.client().write_option(last_update_time=snapshot.update_time)
            if snapshot.exists
            else None
        )
        with firestore.errors_mapped():
            if option is None:
                self._document().create(self._running(now), **firestore.limits())
            else:
                self._document().update(self._running(now), option=option, **firestore.limits())

    def _running(self, now: datetime) -> dict[str, object]:
        return {
            "fingerprint": self._fingerprint,
            "state": "running",
            "lease_until": now + LEASE,
            "expires_at": now + KEPT,
        }

    def _document(self) -> "DocumentReference":
        return firestore.client().collection(COLLECTION).document(self._id)

    def _kept(self, known: dict[str, Any]) -> Kept:
        if known["too_large"]:
            raise Conflict("This call was answered before; its answer was too large to keep.")
        return Kept(
            status=known["status"],
            body=zlib.decompress(self._opened(known["answer"])),
            content_type=known["content_type"],
            etag=known.get("etag"),
        )

    def _sealed(self, plain: bytes) -> bytes:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self._seal()).encrypt(nonce, plain, None)

    def _opened(self, sealed: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return AESGCM(self._seal()).decrypt(nonce, rest, None)
        except InvalidTag:
            # Kept under another SECRET_KEY.
            message = "This call was answered before; its answer can be read no more."
            raise Conflict(message) from None

    def _seal(self) -> bytes:
        key = hashlib.sha256(b"idempotency:" + settings().secret_key.encode()).digest()
        return hmac.new(key, self._name, hashlib.sha256).digest()
