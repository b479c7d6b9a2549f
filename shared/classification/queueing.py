"""Puts a product that was classified by itself, and not in a batch, into the review queue."""

import logging

from shared.classification import reviews
from shared.classification.models import Decided, Item
from shared.clients import firestore
from shared.clock import Clock, utc_now
from shared.errors import Conflict, DependencyError
from shared.products import catalogue

log = logging.getLogger(__name__)


def enter(item: Item, decided: Decided, clock: Clock = utc_now) -> None:
    """Queues what failed, and what is not sure of a product of the catalogue; each text only once.

    What people have said of that text before stands. A queue out of reach is no reason to keep the
    result from whoever waits for it.
    """
    entry_id, document = reviews.review_entry(
        item, decided, origin=reviews.origin_of(item), at=clock()
    )
    try:
        with firestore.errors_mapped():
            # What failed everywhere must not be lost, whosever it is.
            if decided.failure is not None or _is_there(document["product"]["id"]):
                reviews.reference(entry_id).create(document, **firestore.limits())
    except Conflict:
        return
    except DependencyError as error:
        log.warning("Not queued", extra={"context": {"entry": entry_id, "why": error.detail}})


def _is_there(product_id: str | None) -> bool:
    if product_id is None:
        return False
    found = catalogue.reference(product_id).get(["status"], **firestore.limits())
    return bool((found.to_dict() or {"status": "deleted"})["status"] != "deleted")
