"""What can never succeed by trying again: kept with all that a redrive needs."""

import logging
from datetime import timedelta
from typing import Any

import msgspec

from shared.clients import firestore
from shared.clock import utc_now
from shared.errors import ShoppleError

log = logging.getLogger(__name__)

COLLECTION = "dead_letters"
KEPT = timedelta(days=30)


def record(function: str, queue: str, body: Any, error: ShoppleError) -> None:
    """Writes one dead letter; raises a DependencyError, so that the task comes again."""
    letter = {
        "function": function,
        "queue": queue,
        "body": msgspec.json.encode(body).decode(),
        "error": type(error).__name__,
        "detail": error.detail,
        "at": utc_now(),
        "expires_at": utc_now() + KEPT,
    }
    with firestore.errors_mapped():
        firestore.client().collection(COLLECTION).add(letter)
    log.error("Task failed for good", extra={"context": {"function": function}, "risk": "high"})
