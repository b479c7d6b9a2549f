"""What can never succeed by trying again: kept with all that a redrive needs."""

import logging
from datetime import timedelta
from typing import Final

from shared.clients import firestore
from shared.clock import utc_now
from shared.errors import ShoppleError

log = logging.getLogger(__name__)

COLLECTION = "dead_letters"
KEPT = timedelta(days=30)
# A document holds a mebibyte; the bodies of our own tasks are a thousandth of that.
KEPT_CHARACTERS: Final = 100_000


def record(function: str, queue: str, body: str, error: Exception) -> None:
    """Writes one dead letter; raises a DependencyError, so that the task comes again."""
    letter = {
        "function": function,
        "queue": queue,
        "body": body[:KEPT_CHARACTERS],
        "error": type(error).__name__,
        "detail": error.detail if isinstance(error, ShoppleError) else "",
        "at": utc_now(),
        "expires_at": utc_now() + KEPT,
    }
    with firestore.errors_mapped():
        firestore.client().collection(COLLECTION).add(letter, **firestore.limits())
    context = {"context": {"function": function}, "risk": "high"}
    log.error("Task failed for good", exc_info=error, extra=context)
