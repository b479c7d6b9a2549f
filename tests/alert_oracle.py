"""What a rule must tell of, found in another way: each price by itself, and all before it anew."""

from collections.abc import Sequence

from shared.prices.alert_rules import (
    MINUTE_MICROS,
    PRIOR_MICROS,
    SPAN_MICROS,
    STEP_MICROS,
    Crossing,
    Rule,
)
from shared.prices.models import Point


def oracle(points: Sequence[Point], watched: Rule) -> list[Crossing]:
    """The crossings of one retailer's prices, which are in order of time."""
    return [
        p for at in range(len(points)) if (p := expected(points[: at + 1], watched)) is not None
    ]


def expected(history: Sequence[Point], watched: Rule) -> Crossing | None:
    """The crossing at the last price of one retailer's history, if it is one to be told."""
    last = history[-1]
    if last.at_micros <= watched.created_micros:
        return None
    begin = watched.created_micros
    while last.at_micros > begin + SPAN_MICROS:
        begin += STEP_MICROS
    before = [p for p in history if begin - PRIOR_MICROS < p.at_micros <= begin]
    after = [p for p in history if p.at_micros > begin]
    prices = [p.price_minor for p in [*before[-1:], *after]]
    compared = (below if watched.kind == "below" else moved)(prices, watched, bool(before))
    marks = compared[1:] if before else compared
    loud: list[int] = []
    for point, mark in zip(after, marks, strict=True):
        since = point.at_micros - loud[-1] if loud else None
        if mark and (since is None or since >= watched.quiet_minutes * MINUTE_MICROS):
            loud.append(point.at_micros)
    if not loud or loud[-1] != last.at_micros:
        return None
    return Crossing(last.at_micros, last.retailer, last.currency, last.price_minor, marks[-1])


def below(prices: Sequence[int], watched: Rule, known: bool) -> list[int]:  # noqa: FBT001
    """At each price the limit, if it fell below it since it was last clearly above."""
    marks = []
    for at, price in enumerate(prices):
        mark = 0
        if price < watched.amount and not (known and at == 0):
            earlier = list(prices[:at])
            lows = [n for n, p in enumerate(earlier) if p < watched.amount]
            clear = watched.amount * (10_000 + watched.hysteresis)
            recovered = not lows or any(p * 10_000 >= clear for p in earlier[lows[-1] + 1 :])
            mark = watched.amount if recovered else 0
        marks.append(mark)
    return marks


def moved(prices: Sequence[int], watched: Rule, known: bool) -> list[int]:  # noqa: ARG001, FBT001
    """At each price the one that it is compared with, if it moved far enough from that."""
    marks: list[int] = []
    bases: list[int] = []
    for price in prices:
        if not bases:
            marks.append(0)
            bases.append(price)
            continue
        base = bases[-1]
        percent = (price - base) * 10_000 / base * (1 if watched.kind == "up" else -1)
        marks.append(base if percent >= watched.amount else 0)
        back = percent < 0 and -percent >= watched.hysteresis
        bases.append(price if marks[-1] or back else base)
    return marks
