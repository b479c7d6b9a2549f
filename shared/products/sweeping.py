"""The sweep: what the outbox still owes after its time is done again."""

import hashlib
import logging
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from shared.clients import firestore, tasks
from shared.clock import epoch_micros, utc_now
from shared.edge import cache
from shared.errors import ShoppleError
from shared.products import category_removal, category_tree, outbox, pictures

if TYPE_CHECKING:
    from google.cloud.firestore import Transaction

log = logging.getLogger(__name__)

# Young entries are the triggers' own business.
OVERDUE: Final = timedelta(seconds=30)
MOST: Final = 500
# What is swept is enqueued once in so long: its task repeats itself, and may merely wait.
SLOT_SECONDS: Final = 300
# Queue, function and the field that takes the id; by name, since prices, users and crawls know
# products and not the other way round.
TASKS: Final[Mapping[outbox.Kind, tuple[str, str, str]]] = {
    "product": ("matching", "match_product", "product_id"),
    "product_price": ("prices", "record_prices", "change_id"),
    "price": ("prices", "follow_prices", "change_id"),
    "notification": ("notifications", "gather_notifications", "channel"),
    "user": ("users", "settle_user", "uid"),
    "rematch": ("rematching", "rematch_products", "rematch_id"),
    "crawl_ingestion": ("ingestion", "ingest_crawl", "job_id"),
}


def sweep(age: timedelta = OVERDUE) -> int:
    """Has the consequences of overdue entries done; says how many there were."""
    found = list(outbox.overdue(age, MOST))
    slot = int(time.time() // SLOT_SECONDS)
    failed = sum(not _done(owed, slot) for owed in found)
    if found:
        context = {"entries": len(found), "failed": failed}
        log.warning("Swept the outbox", extra={"context": context})
    return len(found)


def _done(owed: outbox.Owed, slot: int) -> bool:
    """Whether the entry was followed; one that fails is left to the next sweep."""
    try:
        if owed.kind == "picture":
            pictures.settle(owed.id)
        elif owed.kind == "category":
            _follow_category(owed)
        else:
            _request(owed, slot)
    except ShoppleError as error:
        context = {"kind": owed.kind, "id": owed.id, "error": error.detail}
        log.warning("An entry could not be swept", extra={"context": context})
        return False
    return True


def _request(owed: outbox.Owed, slot: int) -> None:
    queue, function, field = TASKS[owed.kind]
    # A hash, since not every id may stand in a task's name.
    name = hashlib.sha256(f"{owed.kind} {owed.id} {owed.version} {slot}".encode()).hexdigest()
    tasks.enqueue(queue, function, msgspec.json.encode({field: owed.id}), name=name)


def settle_category(category_id: str, version: int) -> None:
    """Takes a category's debt off the outbox, if it is of this version and no move is due."""

    def settle(transaction: "Transaction") -> None:
        references = [
            outbox.document("category", category_id),
            category_tree.reference(category_id),
        ]
        found = firestore.client().get_all(
            references, transaction=transaction, **firestore.limits()
        )
        fields = {s.reference.parent.id: s.to_dict() for s in found}
        owed = fields[outbox.COLLECTION]
        category = fields[category_tree.COLLECTION]
        moving = category is not None and category.get("moved_to")
        if owed is not None and owed["version"] == version and not moving:
            transaction.delete(references[0])

    firestore.in_transaction(settle)


def _follow_category(owed: outbox.Owed) -> None:
    with firestore.errors_mapped():
        snapshot = category_tree.reference(owed.id).get(**firestore.limits())
    if snapshot.exists and (snapshot.to_dict() or {}).get("moved_to"):
        category_removal.request_move(owed.id)
        return
    written = snapshot.update_time if snapshot.exists else utc_now()
    cache.ensure_bumped("categories", epoch_micros(written))
    settle_category(owed.id, owed.version)
