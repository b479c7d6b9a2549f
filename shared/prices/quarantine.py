"""Prices that are kept aside because they are unlikely, until somebody stands for them."""

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from shared.clients import firestore
from shared.clock import from_epoch_micros, utc_now
from shared.prices.judging import Candidate

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

COLLECTION: Final = "price_quarantine"
KEPT: Final = timedelta(days=90)


def reference(candidate: Candidate) -> "DocumentReference":
    """Where the price is kept: the same one that is sent again is kept once."""
    point = candidate.point
    # A row without a time is another one at each sending.
    at = point.at_micros if candidate.timed else f"untimed-{point.price_minor}"
    told = f"{candidate.product_id}\n{point.retailer}\n{at}"
    name = hashlib.sha256(told.encode()).hexdigest()[:32]
    return firestore.client().collection(COLLECTION).document(name)


def fields(candidate: Candidate, reason: str) -> dict[str, Any]:
    """The price with the reason why it is not in the history."""
    point = candidate.point
    return {
        "product_id": candidate.product_id,
        "retailer": point.retailer,
        "at": from_epoch_micros(point.at_micros),
        "price_minor": point.price_minor,
        "currency": point.currency,
        "source": point.source,
        "reason": reason,
        "expires_at": utc_now() + KEPT,
    }
