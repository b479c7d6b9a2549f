"""What was deleted long ago is removed for good, with all that hangs on it."""

import logging
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from shared.clients import firestore
from shared.clock import Clock, utc_now
from shared.edge.request import Actor
from shared.errors import Conflict
from shared.products import catalogue, identities, outbox, pictures, proposal_store
from shared.system import audit

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentSnapshot, Query, WriteBatch

log = logging.getLogger(__name__)

RUN_PRODUCTS: Final = 100
# The schedule's own deadline is longer, so that a run always ends by itself.
RUN_SECONDS: Final = 120.0
# An offer has one identity for each wording that was ever uploaded; more stay for the next night.
MOST_IDENTITIES: Final = 100
# One for each month of twenty years.
MOST_MONTHS: Final = 240


def purge(kept: timedelta, by: Actor, clock: Clock = utc_now) -> int:
    """Removes products that were deleted over `kept` ago; says how many. Raises a DependencyError.

    What hangs on a product (posting lists, matches) goes by its outbox entry, as after any write.
    """
    give_up = time.monotonic() + RUN_SECONDS
    removed = 0
    for found in firestore.runs(_deleted_before(clock() - kept), RUN_PRODUCTS):
        removed += sum(_remove(snapshot, by) for snapshot in found)
        if time.monotonic() >= give_up:
            break
    log.info("Purged deleted products", extra={"context": {"products": removed}})
    return removed


def _remove(product: "DocumentSnapshot[Any]", by: Actor) -> bool:
    """Whether the product is gone; one that was restored meanwhile stays."""
    database = firestore.client()
    batch = database.batch()
    unchanged = database.write_option(last_update_time=product.update_time)
    batch.delete(product.reference, option=unchanged)
    batch.delete(proposal_store.reference(product.id))
    _forget_identities(batch, product.id)
    _forget_prices(batch, product)
    batch.set(
        outbox.document("product", product.id), outbox.fields("product", product.id, outbox.GONE)
    )
    if picture := (product.to_dict() or {}).get("picture"):
        batch.set(*pictures.owed(picture))
    kept = {name: product.get(name) for name in ("name", "retailer", "retailer_sku")}
    batch.create(*audit.entry(by, f"products/{product.id}", kept, None))
    try:
        with firestore.errors_mapped():
            batch.commit(**firestore.limits())
    except Conflict:
        return False
    return True


def _forget_identities(batch: "WriteBatch", product_id: str) -> None:
    """The same offer, uploaded again, is a new product."""
    from google.cloud.firestore import FieldFilter

    owned = (
        firestore.client()
        .collection(identities.COLLECTION)
        .where(filter=FieldFilter("product_id", "==", product_id))
        .limit(MOST_IDENTITIES)
    )
    with firestore.errors_mapped():
        for snapshot in owned.stream(**firestore.limits()):
            batch.delete(snapshot.reference)


def _forget_prices(batch: "WriteBatch", product: "DocumentSnapshot[Any]") -> None:
    """Its months go with it, and by a debt its place on the dashboard of prices."""
    months = product.reference.collection("prices").select([]).limit(MOST_MONTHS)
    with firestore.errors_mapped():
        found = list(months.stream(**firestore.limits()))
    for month in found:
        batch.delete(month.reference)
    if found:
        change_id = f"purged-{product.id}"
        debt = outbox.fields("price", change_id, outbox.GONE) | {"product_ids": [product.id]}
        batch.set(outbox.document("price", change_id), debt)


def _deleted_before(moment: Any) -> "Query":
    from google.cloud.firestore import FieldFilter

    return (
        firestore.client()
        .collection(catalogue.COLLECTION)
        .where(filter=FieldFilter("status", "==", "deleted"))
        .where(filter=FieldFilter("updated_at", "<", moment))
        .order_by("updated_at")
    )
