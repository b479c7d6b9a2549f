"""The dashboard's figures: one document, brought up to date by a debounced task.

The task reads the summaries, which lie in 256 documents however many products there are, the
catalogue's own statistics and the products that it names; a request reads the one document.
"""

import math
import time
from typing import TYPE_CHECKING, Final

import msgspec

from shared.clients import firestore
from shared.clock import epoch_micros, rfc3339, utc_now
from shared.edge import cache
from shared.money import to_decimal
from shared.prices import dashboard, store, summaries
from shared.prices.analytics_schemas import (
    AnalyticsView,
    CoverageView,
    IndexView,
    MoversView,
    MoverView,
    VolatilityView,
)
from shared.prices.dashboard import Mover, Summaries
from shared.products import catalogue, recounts, statistics
from shared.products.schemas import ProductStatistics

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentReference

COLLECTION: Final = "price_summaries"
WINDOW_SECONDS: Final = 5

_recounts = recounts.Recounts("refresh_price_analytics", "prices", WINDOW_SECONDS)


def bucket(name: str) -> "DocumentReference":
    """Where some products' summaries are stored."""
    return firestore.client().collection(COLLECTION).document(name)


def read() -> AnalyticsView:
    """The figures as they were last computed: one document read."""
    with firestore.errors_mapped():
        fields = _document().get(**firestore.limits()).to_dict()
    if fields is None:
        return AnalyticsView(None, MoversView([], []), [], [], [])
    return msgspec.json.decode(fields["figures"], type=AnalyticsView)


def request_refresh() -> None:
    """Enqueues a recount at the end of the present window; raises a DependencyError."""
    _recounts.request()


def refresh(due_at: float = math.inf) -> None:
    """Computes the figures anew, unless that began after `due_at` (epoch seconds) already.

    Raises Conflict if another recount was faster.
    """
    began_at = time.time()
    with firestore.errors_mapped():
        before = _document().get(**firestore.limits())
    known = before.to_dict() or {}
    if recounts.began_later(known.get("began_at", 0.0), due_at):
        return
    figures = compute(_all_summaries(), statistics.read())
    fields = {"began_at": began_at, "figures": msgspec.json.encode(figures).decode()}
    cache.bump("prices", epoch_micros(firestore.store(before, fields)))


def compute(known: Summaries, counted: ProductStatistics) -> AnalyticsView:
    """The figures of the products with a fresh price; it reads the movers for their names."""
    now = utc_now()
    fresh = dashboard.fresh(known, epoch_micros(now))
    up, down = dashboard.movers(fresh)
    names = _names([*up, *down])
    return AnalyticsView(
        as_of=rfc3339(now),
        movers=MoversView(_movers(up, fresh, names), _movers(down, fresh, names)),
        index=[IndexView(*_told(each)) for each in dashboard.retailer_index(fresh)],
        volatility=[VolatilityView(*_told(each)) for each in dashboard.volatility(fresh)],
        coverage=_coverage(fresh, counted),
    )


def _told(figure: dashboard.RetailerFigure) -> tuple[str, float, int]:
    return figure.retailer, figure.figure, figure.products


def _all_summaries() -> dict[str, summaries.Summary]:
    found: dict[str, summaries.Summary] = {}
    with firestore.errors_mapped():
        for each in firestore.client().collection(COLLECTION).stream(**firestore.limits()):
            found |= summaries.unpack(each.get("products"))
    return found


def _names(movers: list[Mover]) -> dict[str, str]:
    references = {mover.product_id: catalogue.reference(mover.product_id) for mover in movers}
    found = store.read_all(references.values())
    named = {pid: found.get(reference.path) for pid, reference in references.items()}
    return {
        pid: str(fields["name"]) for pid, fields in named.items() if fields and fields["listed"]
    }


def _movers(movers: list[Mover], known: Summaries, names: dict[str, str]) -> list[MoverView]:
    return [
        MoverView(
            product_id=mover.product_id,
            name=names[mover.product_id],
            retailer=(summary := known[mover.product_id]).retailer,
            price=to_decimal(summary.price_minor, summary.currency),
            previous_price=to_decimal(summary.week_ago_minor or 0, summary.currency),
            currency=summary.currency,
            change_percent=mover.change_percent,
        )
        for mover in movers
        if mover.product_id in names
    ]


def _coverage(fresh: Summaries, counted: ProductStatistics) -> list[CoverageView]:
    priced = dashboard.priced_by_retailer(fresh.values())
    # Products are counted a moment after they are written: a retailer's first may be priced sooner.
    by_retailer = {**priced, **counted.by_retailer}
    totals = {"": counted.total, **dict(sorted(by_retailer.items()))}
    priced[""] = len(fresh)
    return [
        CoverageView(
            retailer=name,
            products=total,
            priced=min(total, priced.get(name, 0)),
            percent=round(min(1.0, priced.get(name, 0) / total) * 100, 2) if total else 0.0,
        )
        for name, total in totals.items()
    ]


def _document() -> "DocumentReference":
    return firestore.client().collection(statistics.COLLECTION).document("prices")
