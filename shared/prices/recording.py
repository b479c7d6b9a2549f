"""Prices that products were given by a person or an upload, into their histories.

A point's moment is that of the product's change, so the same change again is the same point.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec

from shared.clients import firestore
from shared.clock import from_epoch_micros
from shared.edge import dead_letters
from shared.errors import Conflict
from shared.prices import following, month_writes, store
from shared.prices.background_schemas import RecordPrices
from shared.prices.judging import Candidate
from shared.prices.models import DAY_MICROS, Point, Source, month_of, months_between
from shared.prices.month_writes import MonthKey
from shared.products import outbox, price_changes
from shared.products.price_changes import Changed

QUEUE: Final = "prices"
FUNCTION: Final = "record_prices"
# What was known longer ago is told again.
CHANGE_LOOKED_BACK: Final = timedelta(days=28)
# As far as summaries look.
SIGHTING_LOOKED_BACK: Final = timedelta(days=60)
# The dashboard's figures are of the last seven days, and a catalogue may come once a day.
SEEN_AGAIN_MICROS: Final = 5 * DAY_MICROS


def record(wanted: RecordPrices) -> None:
    """Pays the debt, or stores what its dead letter names; raises to be called again."""
    if wanted.changes:
        _store(wanted)
        return
    reference = outbox.document("product_price", wanted.change_id)
    with firestore.errors_mapped():
        fields = reference.get(**firestore.limits()).to_dict()
    if fields is None:
        return
    owed = RecordPrices(wanted.change_id, fields["source"], _unpacked(fields, "changes"))
    _store(owed, _unpacked(fields, "sightings"))
    if relisted := fields.get("relisted"):
        following.follow_products(relisted)
    with firestore.errors_mapped():
        reference.delete(**firestore.limits())


def _unpacked(fields: Mapping[str, Any], name: str) -> list[Changed]:
    return price_changes.unpack(fields[name]) if fields.get(name) else []


def _store(owed: RecordPrices, sightings: Sequence[Changed] = ()) -> None:
    """Stores what is news; a change without a place in its history becomes a dead letter."""
    source = owed.source
    known = _known(owed.changes, CHANGE_LOOKED_BACK) | _known(sightings, SIGHTING_LOOKED_BACK)
    news = _news(owed.changes, known, source)
    # A crawl says what a product costs; a confirmation only that nothing else is known.
    is_due = _tells if source == "crawler" else _is_due
    seen = [each for each in sightings if is_due(each, known[each.product_id])]
    verdicts = month_writes.write(_by_month([*news, *seen], source))
    rejected = {row: v.reason for row, v in sorted(verdicts.items()) if v.verdict == "rejected"}
    # A sighting says nothing that is not known; it may be lost.
    lost = [change for row, change in enumerate(news, start=1) if row in rejected]
    if lost:
        body = msgspec.json.encode(RecordPrices(owed.change_id, source, lost)).decode()
        error = Conflict("; ".join(sorted({*rejected.values()})))
        dead_letters.record(FUNCTION, QUEUE, body, error)


def _known(changes: Iterable[Changed], looked_back: timedelta) -> dict[str, list[Point]]:
    """The points before each product's changes, as far as whole months hold them."""
    paths = {
        (change.product_id, name): store.month(change.product_id, name)
        for change in changes
        for name in _months(change, looked_back)
    }
    found = store.read_all(paths.values())
    known: dict[str, list[Point]] = defaultdict(list)
    for (product_id, _), reference in paths.items():
        known[product_id] += store.points_of(found.get(reference.path))
    return known


def _news(
    changes: Sequence[Changed], known: dict[str, list[Point]], source: Source
) -> list[Changed]:
    """Those that say another price than the newest one known at their moment."""
    news = []
    for change in sorted(changes, key=lambda each: each.at_micros):
        newest = _newest(change, known[change.product_id])
        if newest is None or (newest.price_minor, newest.currency) != (
            change.price_minor,
            change.currency,
        ):
            news.append(change)
            known[change.product_id].append(_point(change, source))
    return news


def _is_due(sighting: Changed, points: Iterable[Point]) -> bool:
    """Whether the product has a history whose newest price is about to grow old."""
    newest = _newest(sighting, points)
    return newest is not None and sighting.at_micros - newest.at_micros >= SEEN_AGAIN_MICROS


def _tells(sighting: Changed, points: Sequence[Point]) -> bool:
    """Whether it is the product's first price, another than the newest, or due as any sighting."""
    newest = _newest(sighting, points)
    if newest is None:
        return True
    known = (newest.price_minor, newest.currency)
    return known != (sighting.price_minor, sighting.currency) or _is_due(sighting, points)


def _newest(change: Changed, points: Iterable[Point]) -> Point | None:
    own = (p for p in points if p.retailer == change.retailer and p.at_micros <= change.at_micros)
    return max(own, default=None)


def _months(change: Changed, looked_back: timedelta) -> list[str]:
    moment = from_epoch_micros(change.at_micros)
    return months_between(moment - looked_back, moment)


def _by_month(changes: Sequence[Changed], source: Source) -> dict[MonthKey, list[Candidate]]:
    months: dict[MonthKey, list[Candidate]] = {}
    for row, change in enumerate(changes, start=1):
        point = _point(change, source)
        month = month_of(from_epoch_micros(change.at_micros))
        # Who sets a product's price stands for it, however unlikely it is.
        candidate = Candidate(
            row, change.product_id, point, timed=True, confirmed=True, reference_minor=None
        )
        months.setdefault((change.product_id, month), []).append(candidate)
    return months


def _point(change: Changed, source: Source) -> Point:
    return Point(change.at_micros, change.retailer, change.price_minor, change.currency, source)
