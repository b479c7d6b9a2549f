"""The price history of one product: its months by id, never a query."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from shared.clock import Clock, epoch_micros, from_epoch_micros, rfc3339, utc_now
from shared.errors import Invalid, NotFound
from shared.money import to_decimal
from shared.prices import store
from shared.prices.models import Point, months_between
from shared.prices.moments import parse_moment
from shared.prices.schemas import HistoryQuery, HistoryView, Interval, PointView, StatsView
from shared.prices.statistics import stats_of
from shared.prices.upload_rows import EARLIEST
from shared.products import catalogue
from shared.products.slug import slug

DEFAULT_RANGE: Final = timedelta(days=90)
LONGEST_RANGE: Final = timedelta(days=5 * 366)
MOST_POINTS: Final = 10_000


def history(product_id: str, query: HistoryQuery, clock: Clock = utc_now) -> HistoryView:
    """The product's prices and their statistics; raises NotFound, Invalid.

    It reads the product and one document for each month of the range; at a retailer, the group that
    the product was merged into too, and the months of the group's offers there.
    """
    begin, end = _range(query, clock())
    retailer = _retailer(query.retailer)
    currency, known = _known(product_id, retailer, months_between(begin, end))
    points = [
        point
        for point in known
        if _in_range(point, begin, end) and retailer in (None, point.retailer)
    ]
    shown = points if query.interval is None else _last_of_each(points, query.interval)
    if len(shown) > MOST_POINTS:
        raise Invalid.one("interval", f"{len(shown):,} prices are too many: name an interval")
    return HistoryView(
        product_id=product_id,
        points=[_view(point) for point in shown],
        stats=_stats(points, currency),
    )


def _known(product_id: str, retailer: str | None, months: Sequence[str]) -> tuple[str, list[Point]]:
    """The product's currency and the points of some months, in order of time."""
    product = catalogue.reference(product_id)
    found = store.read_all([product, *(store.month(product_id, name) for name in months)])
    fields = found.get(product.path)
    if fields is None:
        raise NotFound("There is no such product.")
    offers = [product_id]
    if retailer is not None and (group_id := fields.get("group_id")) is not None:
        others = _others(group_id, product_id, retailer)
        found |= store.read_all(store.month(pid, name) for pid in others for name in months)
        offers += others
    documents = (found.get(store.month(pid, name).path) for pid in offers for name in months)
    points = sorted(point for document in documents for point in store.points_of(document))
    return str(fields["currency"]), points


def _others(group_id: str, product_id: str, retailer: str) -> list[str]:
    """The other offers at the retailer that the product was merged with."""
    from shared.products import group_store

    groups = group_store.read([group_id]).values()
    members = [member for group in groups for member in group.members]
    return [m.id for m in members if m.retailer == retailer and m.id != product_id]


def _range(query: HistoryQuery, now: datetime) -> tuple[datetime, datetime]:
    end = _moment("to", query.end, end_of_day=True) or now
    begin = _moment("from", query.begin, end_of_day=False)
    if begin is None:
        begin = max(EARLIEST, end) - DEFAULT_RANGE
    if begin > end:
        raise Invalid.one("from", "must not lie after to")
    if end - begin > LONGEST_RANGE:
        raise Invalid.one("from", "must lie at most five years before to")
    return begin, end


def _moment(field: str, text: str | None, *, end_of_day: bool) -> datetime | None:
    if text is None:
        return None
    try:
        return parse_moment(text, end_of_day=end_of_day)
    except ValueError as error:
        raise Invalid.one(field, str(error)) from None


def _retailer(name: str | None) -> str | None:
    """The retailer as uploads store it, however it is written."""
    if name is None:
        return None
    if not (known_as := slug(name)):
        raise Invalid.one("retailer", "must hold a letter or a digit")
    return known_as


def _in_range(point: Point, begin: datetime, end: datetime) -> bool:
    return epoch_micros(begin) <= point.at_micros <= epoch_micros(end)


def _last_of_each(points: Iterable[Point], interval: Interval) -> list[Point]:
    last = {(p.retailer, p.currency, _period(p, interval)): p for p in points}
    return sorted(last.values())


def _period(point: Point, interval: Interval) -> tuple[int, ...]:
    day = from_epoch_micros(point.at_micros).date()
    if interval == "month":
        return (day.year, day.month)
    return day.isocalendar()[:2] if interval == "week" else (day.toordinal(),)


def _view(point: Point) -> PointView:
    return PointView(
        timestamp=rfc3339(from_epoch_micros(point.at_micros)),
        price=to_decimal(point.price_minor, point.currency),
        currency=point.currency,
        retailer=point.retailer,
        source=point.source,
    )


def _stats(points: Sequence[Point], currency: str) -> StatsView:
    stats = stats_of([point.price_minor for point in points if point.currency == currency])
    if stats is None:
        return StatsView(None, None, None, None, 0, currency)
    return StatsView(
        min=to_decimal(stats.min_minor, currency),
        max=to_decimal(stats.max_minor, currency),
        average=to_decimal(stats.average_minor, currency),
        median=to_decimal(stats.median_minor, currency),
        count=stats.count,
        currency=currency,
    )
