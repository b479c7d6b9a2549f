"""When a price crosses what a rule watches for: a pure function of the prices and the rule."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal

import msgspec

from shared.prices.models import DAY_MICROS, Point

Kind = Literal["up", "down", "below"]

MINUTE_MICROS: Final = 60 * 1_000_000
# A crossing depends on what came before it: at least half a year of that, at most a year, and
# always the same, whenever it is looked at.
SPAN_MICROS: Final = 364 * DAY_MICROS
STEP_MICROS: Final = SPAN_MICROS // 2
# How old the price may be that counts as the one when the watching began.
PRIOR_MICROS: Final = 31 * DAY_MICROS
# Percentages are whole hundredths of a percent.
WHOLE: Final = 10_000


class Rule(msgspec.Struct, frozen=True, array_like=True):
    """What is watched for; `amount` is hundredths of a percent or, below a price, minor units."""

    id: str
    product_id: str | None
    category: str | None
    retailer: str | None
    kind: Kind
    amount: int
    currency: str | None
    hysteresis: int
    quiet_minutes: int
    created_micros: int
    by_webhook: bool

    def concerns(self, product_id: str, category: str) -> bool:
        """Whether a product's prices are watched."""
        if self.product_id is not None:
            return self.product_id == product_id
        return self.category == category


class Crossing(msgspec.Struct, frozen=True, order=True):
    """A price that is to be told of, and the one that it is compared with (the limit, if below)."""

    at_micros: int
    retailer: str
    currency: str
    price_minor: int
    before_minor: int


_decoder = msgspec.json.Decoder(list[Rule])


def pack(rules: Iterable[Rule]) -> str:
    """The rules as one text."""
    return msgspec.json.encode(list(rules)).decode()


def unpack(text: str) -> list[Rule]:
    """The rules of a text."""
    return _decoder.decode(text)


def crossings(points: Iterable[Point], rule: Rule) -> list[Crossing]:
    """Every crossing of the prices, of each retailer and currency by themselves, in order of time.

    It makes no difference in which order the points come, or how often.
    """
    series: dict[tuple[str, str], list[Point]] = defaultdict(list)
    for point in sorted(set(points)):
        if rule.retailer in (None, point.retailer) and rule.currency in (None, point.currency):
            series[point.retailer, point.currency].append(point)
    return sorted(found for own in series.values() for found in _of_series(own, rule))


def begins_at(rule: Rule, moment_micros: int) -> int:
    """The earliest price that crossings after `moment_micros` depend on."""
    beyond = max(0, moment_micros - rule.created_micros - SPAN_MICROS)
    return rule.created_micros + -(-beyond // STEP_MICROS) * STEP_MICROS - PRIOR_MICROS


def _of_series(points: Sequence[Point], rule: Rule) -> Iterator[Crossing]:
    anchor = told_until = rule.created_micros
    while told_until < points[-1].at_micros:
        end = anchor + SPAN_MICROS
        for found in _of_span(points, rule, anchor, end):
            if found.at_micros > told_until:
                yield found
        anchor, told_until = anchor + STEP_MICROS, end


def _of_span(
    points: Sequence[Point], rule: Rule, begin_micros: int, end_micros: int
) -> Iterator[Crossing]:
    watch = _Watch(rule)
    last_told: int | None = None
    for point in points:
        if point.at_micros <= begin_micros:
            if point.at_micros > begin_micros - PRIOR_MICROS:
                watch = _Watch(rule, point.price_minor)
            continue
        if point.at_micros > end_micros:
            return
        before = watch.crossed(point.price_minor)
        quiet_until = (last_told or 0) + rule.quiet_minutes * MINUTE_MICROS
        if before is None or (last_told is not None and point.at_micros < quiet_until):
            continue
        last_told = point.at_micros
        yield Crossing(point.at_micros, point.retailer, point.currency, point.price_minor, before)


class _Watch:
    """What has to be remembered between two prices: one number and whether it may be told."""

    def __init__(self, rule: Rule, price: int | None = None) -> None:
        self._rule = rule
        self._base = price
        self._armed = price is None or price >= rule.amount

    def crossed(self, price: int) -> int | None:
        """The price that a crossing is compared with, None where there is none."""
        if self._rule.kind == "below":
            return self._fell_below(price)
        base, rule = self._base, self._rule
        if base is None:
            self._base = price
            return None
        sign = 1 if rule.kind == "up" else -1
        change = sign * (price - base) * WHOLE
        if change >= base * rule.amount:
            self._base = price
            return base
        if change < 0 and -change >= base * rule.hysteresis:
            self._base = price
        return None

    def _fell_below(self, price: int) -> int | None:
        limit = self._rule.amount
        if price < limit:
            armed, self._armed = self._armed, False
            return limit if armed else None
        if price * WHOLE >= limit * (WHOLE + self._rule.hysteresis):
            self._armed = True
        return None
