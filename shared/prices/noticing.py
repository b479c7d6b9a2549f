"""What a change of prices means to the rules on them, as the prices are when it is looked at."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from shared.clock import Clock, epoch_micros, from_epoch_micros, utc_now
from shared.prices import notifications, store
from shared.prices.alert_rules import Rule, begins_at, crossings
from shared.prices.models import DAY_MICROS, months_between
from shared.prices.notifications import Notice
from shared.products import catalogue

# A price that comes later than this is history, and no news.
LATE_MICROS: Final = 7 * DAY_MICROS
# Of so many products at once the months are held: of a crowded one they are a megabyte.
TOGETHER: Final = 10


class _Watched(msgspec.Struct, frozen=True):
    product_id: str
    name: str
    rules: Sequence[Rule]
    months: Sequence[str]


def notice(
    rules: Sequence[Rule],
    product_ids: Sequence[str],
    months: Sequence[str],
    found: store.Found,
    clock: Clock = utc_now,
) -> None:
    """Writes what is to be told of some products; `found` holds them and the `months` read.

    A product costs a further read for each month before those that its rules go back to, and one
    for each crossing of the last week. Raises a DependencyError or Conflict, to be called again.
    """
    watched = list(_watched(rules, product_ids, found, epoch_micros(clock())))
    for at in range(0, len(watched), TOGETHER):
        some = watched[at : at + TOGETHER]
        older = [
            store.month(each.product_id, name)
            for each in some
            for name in each.months
            if name not in months
        ]
        known = {**found, **(store.read_all(older) if older else {})}
        since = epoch_micros(clock()) - LATE_MICROS
        notifications.record([n for each in some for n in _notices(each, known, since)])


def _watched(
    rules: Sequence[Rule], product_ids: Sequence[str], found: store.Found, now_micros: int
) -> Iterator[_Watched]:
    for product_id in product_ids:
        product = found.get(catalogue.reference(product_id).path)
        if product is None or not product["listed"]:
            continue
        own = [rule for rule in rules if rule.concerns(product_id, product["category"])]
        if own:
            first = min(begins_at(rule, now_micros - LATE_MICROS) for rule in own)
            months = months_between(from_epoch_micros(first), from_epoch_micros(now_micros))
            yield _Watched(product_id, product["name"], own, months)


def _notices(watched: _Watched, known: store.Found, since: int) -> Iterator[Notice]:
    documents = (known.get(store.month(watched.product_id, name).path) for name in watched.months)
    points = [point for document in documents for point in store.points_of(document)]
    for rule in watched.rules:
        for crossing in crossings(points, rule):
            if crossing.at_micros > since:
                yield Notice(rule, watched.product_id, watched.name, crossing)
