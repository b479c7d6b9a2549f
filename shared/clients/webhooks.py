"""Webhooks: signed posts to addresses that admins give."""

import base64
import hashlib
import hmac
import time
from typing import Final

from shared.clients import guarded_http
from shared.config import settings

SECONDS: Final = 10.0
ID: Final = "X-Shopple-Id"
TIMESTAMP: Final = "X-Shopple-Timestamp"
SIGNATURE: Final = "X-Shopple-Signature"
_PREFIX: Final = "whsec_"


def secret_of(hook_id: str) -> str:
    """The secret that signs one hook's posts: derived, so that none lies open."""
    key = hashlib.sha256(b"webhooks:" + settings().secret_key.encode()).digest()
    derived = hmac.new(key, hook_id.encode(), hashlib.sha256).digest()
    return _PREFIX + base64.urlsafe_b64encode(derived).decode().rstrip("=")


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What a receiver compares: HMAC-SHA256 over the timestamp, a dot and the body."""
    signed = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1={signed.hexdigest()}"


def post(url: str, hook_id: str, message_id: str, body: bytes) -> None:
    """Sends the JSON `body`; raises Invalid or DependencyRefused for good, a DependencyError."""
    timestamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        ID: message_id,
        TIMESTAMP: timestamp,
        SIGNATURE: signature(secret_of(hook_id), timestamp, body),
    }
    reply = guarded_http.post(url, body, headers, seconds=SECONDS, field="webhook_url")
    guarded_http.check_accepted(reply, "The webhook")
