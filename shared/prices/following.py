"""What follows a change of prices: caches at once; summaries, alerts, the dashboard by tasks."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients import firestore, tasks
from shared.clock import epoch_micros, utc_now
from shared.edge import cache
from shared.errors import DependencyError
from shared.prices import alerts, analytics, noticing, store, summaries
from shared.prices.background_schemas import FollowPrices
from shared.prices.models import months_between
from shared.products import catalogue, outbox, pairs

if TYPE_CHECKING:
    from google.cloud.firestore import Transaction

log = logging.getLogger(__name__)

QUEUE: Final = "prices"
FUNCTION: Final = "follow_prices"
# A week's change and a month's volatility before a newest price that may be a month old.
LOOKED_BACK: Final = timedelta(days=60)
MAX_PARTNERS: Final = 4

_last_change = ""


def price_written(change_id: str | None, commit_micros: int) -> None:
    """Replaces the cache's generation where the writer could not, and enqueues the rest once."""
    global _last_change  # noqa: PLW0603 - saves a call for each of a hundred months
    try:
        cache.ensure_bumped("prices", commit_micros)
    except DependencyError:
        # The task tries again until Redis is back; a trigger has one attempt only.
        log.warning("Cache not invalidated", extra={"context": {"namespace": "prices"}})
    if change_id is None or change_id == _last_change:
        return
    tasks.enqueue(QUEUE, FUNCTION, msgspec.json.encode(FollowPrices(change_id)), name=change_id)
    _last_change = change_id


def follow(change_id: str) -> None:
    """Brings up to date what hangs on a change's products; raises to be called again."""
    debt = outbox.document("price", change_id)
    with firestore.errors_mapped():
        owed = debt.get(**firestore.limits())
    fields = owed.to_dict()
    if fields is None:
        return
    follow_products(fields["product_ids"])
    cache.ensure_bumped("prices", epoch_micros(owed.update_time))
    with firestore.errors_mapped():
        debt.delete(**firestore.limits())


def follow_products(ids: Sequence[str]) -> None:
    """Brings up to date what hangs on some products as they and their prices are now."""
    by_bucket: dict[str, list[str]] = defaultdict(list)
    for product_id in ids:
        by_bucket[summaries.bucket_of(product_id)].append(product_id)
    rules = alerts.rules()
    for bucket, product_ids in by_bucket.items():
        months, found = _summarise(bucket, product_ids)
        noticing.notice(rules, product_ids, months, found)
    analytics.request_refresh()


def _summarise(bucket: str, product_ids: Sequence[str]) -> tuple[list[str], store.Found]:
    """Writes the summaries of some products of one bucket as their documents are now.

    Returns which months it read, and all that it found.
    """
    now = utc_now()
    months = months_between(now - LOOKED_BACK, now)
    reference = analytics.bucket(bucket)

    def run(transaction: "Transaction") -> store.Found:
        wanted = [reference]
        for pid in product_ids:
            wanted += [catalogue.reference(pid), pairs.state(pid)]
            wanted += [store.month(pid, name) for name in months]
        found = store.read_all(wanted, transaction)
        known = (
            summaries.unpack(found[reference.path]["products"]) if reference.path in found else {}
        )
        changed = dict(known)
        for pid in product_ids:
            changed.pop(pid, None)
            if (summary := _summary(pid, months, found)) is not None:
                changed[pid] = summary
        if changed != known:
            transaction.set(reference, {"products": summaries.pack(changed)})
        return found

    return months, firestore.in_transaction(run)


def _summary(
    product_id: str, months: Sequence[str], found: store.Found
) -> summaries.Summary | None:
    product: dict[str, Any] | None = found.get(catalogue.reference(product_id).path)
    if product is None or not product["listed"]:
        return None
    partners = found.get(pairs.state(product_id).path, {}).get("partners", {})
    surest = sorted(partners, key=lambda other: (-partners[other], other))[:MAX_PARTNERS]
    documents = (found.get(store.month(product_id, name).path) for name in months)
    points = (point for document in documents for point in store.points_of(document))
    retailer, currency = product["retailer"], product["currency"]
    return summaries.summary_of(points, retailer, currency, surest, product.get("group_id"))
