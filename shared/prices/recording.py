"""Prices that products were given by a person or an upload, into their histories.

A point's moment is that of the product's change, so the same change again is the same point.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from shared.clients import firestore
from shared.clock import from_epoch_micros
from shared.prices import month_writes, store
from shared.prices.judging import Candidate
from shared.prices.models import Point, Source, month_of, months_between
from shared.prices.month_writes import MonthKey
from shared.products import outbox, price_changes
from shared.products.price_changes import Changed

log = logging.getLogger(__name__)

# What was known longer ago is told again.
LOOKED_BACK: Final = timedelta(days=28)


def record(change_id: str) -> None:
    """Stores what the debt names and settles it; raises to be called again."""
    reference = outbox.document("product_price", change_id)
    with firestore.errors_mapped():
        fields = reference.get(**firestore.limits()).to_dict()
    if fields is None:
        return
    changes = price_changes.changes_in(fields)
    source: Source = fields["source"]
    verdicts = month_writes.write(_by_month(_news(changes), source))
    for verdict in verdicts.values():
        if verdict.verdict == "rejected":
            context = {"change": change_id, "reason": verdict.reason}
            log.warning("A product's price has no room in its history", extra={"context": context})
    with firestore.errors_mapped():
        reference.delete(**firestore.limits())


def _news(changes: Sequence[Changed]) -> list[Changed]:
    """Those that say another price than the newest one known at their moment."""
    references = {
        store.month(change.product_id, name).path: store.month(change.product_id, name)
        for change in changes
        for name in _months(change)
    }
    found = store.read_all(references.values())
    return [
        change
        for change in changes
        if not _is_known(
            change,
            (
                point
                for name in _months(change)
                for point in store.points_of(found.get(store.month(change.product_id, name).path))
            ),
        )
    ]


def _months(change: Changed) -> list[str]:
    moment = from_epoch_micros(change.at_micros)
    return months_between(moment - LOOKED_BACK, moment)


def _is_known(change: Changed, points: Iterable[Point]) -> bool:
    own = (p for p in points if p.retailer == change.retailer and p.at_micros <= change.at_micros)
    newest = max(own, default=None)
    return newest is not None and (newest.price_minor, newest.currency) == (
        change.price_minor,
        change.currency,
    )


def _by_month(changes: Sequence[Changed], source: Source) -> dict[MonthKey, list[Candidate]]:
    months: dict[MonthKey, list[Candidate]] = {}
    for row, change in enumerate(changes, start=1):
        point = Point(
            change.at_micros, change.retailer, change.price_minor, change.currency, source
        )
        month = month_of(from_epoch_micros(change.at_micros))
        # Who sets a product's price stands for it, however unlikely it is.
        candidate = Candidate(
            row, change.product_id, point, timed=True, confirmed=True, reference_minor=None
        )
        months.setdefault((change.product_id, month), []).append(candidate)
    return months
