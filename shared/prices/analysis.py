"""Trends of a few products over a window that ends now."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from shared.clock import Clock, epoch_micros, utc_now
from shared.money import to_decimal
from shared.prices import store
from shared.prices.models import DAY_MICROS, Point, months_between
from shared.prices.schemas import AnalyzeAnswer, AnalyzeRequest, TrendView
from shared.prices.trend import trend_of
from shared.products import catalogue

_SLOPE_DECIMALS: Final = 4


def analyze(body: AnalyzeRequest, clock: Clock = utc_now) -> AnalyzeAnswer:
    """The trend of each product; it reads each and its months in the window."""
    now = clock()
    begin = now - timedelta(days=body.window_days)
    months = months_between(begin, now)
    ids = list(dict.fromkeys(body.product_ids))
    references = [catalogue.reference(pid) for pid in ids]
    references += [store.month(pid, name) for pid in ids for name in months]
    found = store.read_all(references)
    answer = AnalyzeAnswer(window_days=body.window_days, trends=[], unknown=[])
    for pid in ids:
        fields = found.get(catalogue.reference(pid).path)
        if fields is None:
            answer.unknown.append(pid)
            continue
        documents = (found.get(store.month(pid, name).path) for name in months)
        points = (point for document in documents for point in store.points_of(document))
        recent = (p for p in points if epoch_micros(begin) < p.at_micros <= epoch_micros(now))
        answer.trends.append(_view(pid, fields, recent, epoch_micros(now), body.window_days))
    return answer


def daily(
    points: Iterable[Point], retailer: str, currency: str, end_micros: int
) -> list[tuple[int, int]]:
    """The last price of each day with one; days are counted back from the end, so end at 0."""
    last: dict[int, int] = {}
    for point in sorted(points):
        if (point.retailer, point.currency) == (retailer, currency):
            last[-((end_micros - point.at_micros) // DAY_MICROS)] = point.price_minor
    return sorted(last.items())


def _view(
    product_id: str, fields: dict[str, Any], points: Iterable[Point], end_micros: int, window: int
) -> TrendView:
    currency = str(fields["currency"])
    series = daily(points, str(fields["retailer"]), currency, end_micros)
    days, prices = [day for day, _ in series], [price for _, price in series]
    trend = trend_of(days, prices)
    scale = Decimal(1).scaleb(-_SLOPE_DECIMALS)
    slope = Decimal(trend.slope_minor_per_day) * to_decimal(1, currency)
    return TrendView(
        product_id=product_id,
        trend=trend.direction,
        slope=slope.quantize(scale),
        currency=currency,
        significance=round(trend.p_value, 6),
        change_percent=round(trend.change_percent, 2),
        days_with_data=len(series),
        days_without_data=window - len(series),
        first_price=to_decimal(prices[0], currency) if prices else None,
        last_price=to_decimal(prices[-1], currency) if prices else None,
    )
