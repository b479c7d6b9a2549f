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
    """Queues it where it is a product of the catalogue; the same text of one only once.

    What people have said of that text before stands. A queue out of reach is no reason to keep the
    result from whoever waits for it.
    """
    entry_id, document = reviews.review_entry(
        item, decided, origin=reviews.origin_of(item), at=clock()
    )
    product_id = document["product"]["id"]
    if product_id is None:
        return
    try:
        with firestore.errors_mapped():
            found = catalogue.reference(product_id).get(["status"], **firestore.limits())
            if (found.to_dict() or {"status": "deleted"})["status"] != "deleted":
                reviews.reference(entry_id).create(document, **firestore.limits())
    except Conflict:
        return
    except DependencyError as error:
        log.warning("Not queued", extra={"context": {"entry": entry_id, "why": error.detail}})
