"""When a price crosses: by hand, and against an oracle that looks at every price anew."""

import random
from collections import defaultdict
from collections.abc import Sequence

import msgspec
import pytest

from shared.clock import from_epoch_micros
from shared.prices.alert_rules import (
    MINUTE_MICROS,
    PRIOR_MICROS,
    SPAN_MICROS,
    Crossing,
    Rule,
    begins_at,
    crossings,
)
from shared.prices.judging import Candidate
from shared.prices.models import DAY_MICROS, Point, month_of
from shared.prices.month_writes import MonthKey, chunks_of
from tests.alert_oracle import oracle

HOUR = 60 * MINUTE_MICROS
MADE = 1_750_000_000_000_000
PATHS = 1000


def rule(**fields: object) -> Rule:
    usual = Rule("r", "p", None, None, "down", 1000, None, 200, 0, MADE, by_webhook=False)
    return msgspec.structs.replace(usual, **fields)


def hourly(*prices: int, begin: int = MADE + HOUR, step: int = HOUR) -> list[Point]:
    return [
        Point(begin + number * step, "keells", price, "LKR", "api")
        for number, price in enumerate(prices)
    ]


def told(points: Sequence[Point], watched: Rule) -> list[int]:
    return [found.price_minor for found in crossings(points, watched)]


@pytest.mark.parametrize(
    ("kind", "amount", "prices", "expected"),
    [
        ("down", 1000, (100, 91, 90), [90]),
        ("down", 1000, (100, 89, 88, 89), [89]),
        # Back and again tells again; what goes on falling does so too.
        ("down", 1000, (100, 89, 100, 89), [89, 89]),
        ("down", 1000, (100, 89, 80), [89, 80]),
        # A wobble of less than the hysteresis leaves what is compared with.
        ("down", 1000, (100, 90, 91, 82, 81), [90, 81]),
        ("down", 1000, (100, 90, 92, 82), [90, 82]),
        ("down", 1000, (100, 120, 109, 108), [108]),
        ("up", 1000, (100, 109, 110), [110]),
        ("up", 1000, (100, 50, 54, 55), [55]),
        ("up", 1000, (100, 110, 100, 110, 121), [110, 110, 121]),
        ("below", 100, (120, 100, 99), [99]),
        ("below", 100, (120, 99, 98, 100, 99), [99]),
        ("below", 100, (120, 99, 102, 99), [99, 99]),
        ("below", 100, (99, 98), [99]),
        ("below", 100, (150,), []),
        ("down", 1000, (100,), []),
    ],
    ids=str,
)
def test_a_rule_tells_of(
    kind: str, amount: int, prices: tuple[int, ...], expected: list[int]
) -> None:
    assert told(hourly(*prices), rule(kind=kind, amount=amount)) == expected


def test_what_was_before_the_rule_is_compared_with_and_never_told() -> None:
    old = hourly(200, 150, 100, begin=MADE - 2 * HOUR)
    assert told([*old, *hourly(95, 90)], rule()) == [90]
    assert told(hourly(90, begin=MADE), rule(kind="below", amount=100)) == []
    assert told(hourly(90, 80, begin=MADE), rule(kind="below", amount=100)) == []


def test_a_price_of_long_before_the_rule_is_not_compared_with() -> None:
    ancient = hourly(200, begin=MADE - PRIOR_MICROS)
    assert told([*ancient, *hourly(100, 91)], rule()) == []


def test_a_crossing_in_the_quiet_period_is_not_told_and_not_told_later() -> None:
    points = hourly(100, 89, 100, 89, 100, 100, 89, 89)
    quiet = rule(quiet_minutes=180)
    moments = [found.at_micros for found in crossings(points, quiet)]
    assert moments == [points[1].at_micros, points[6].at_micros]


def test_retailers_and_currencies_are_watched_apart() -> None:
    points = hourly(100, 89)
    other = [msgspec.structs.replace(p, retailer="cargills", currency="USD") for p in points]
    assert len(crossings([*points, *other], rule())) == 2
    assert [c.retailer for c in crossings([*points, *other], rule(retailer="keells"))] == ["keells"]
    assert [c.currency for c in crossings([*points, *other], rule(currency="USD"))] == ["USD"]


def test_a_product_or_a_category_is_concerned() -> None:
    assert rule().concerns("p", "tea")
    assert not rule().concerns("q", "tea")
    assert rule(product_id=None, category="tea").concerns("q", "tea")
    assert not rule(product_id=None, category="tea").concerns("q", "")


def walk(chance: random.Random, count: int) -> list[Point]:
    """Hours and prices of one retailer: calm, jumps, promotions and drifts, before and after."""
    at = MADE - chance.choice((0, 2, 40)) * DAY_MICROS
    price = chance.randint(50, 5000)
    points = []
    for _ in range(count):
        at += chance.choice((HOUR, 6 * HOUR, DAY_MICROS, 20 * DAY_MICROS))
        move = chance.choice((0, 0, 0.01, -0.01, 0.02, -0.02, 0.1, -0.1, 0.3, -0.25))
        price = max(1, round(price * (1 + move)))
        points.append(Point(at, "keells", price, "LKR", "api"))
    return points


def watched_by(chance: random.Random, points: Sequence[Point]) -> Rule:
    kind = chance.choice(("up", "down", "below"))
    amount = (
        chance.choice(points).price_minor if kind == "below" else chance.choice((100, 500, 1000))
    )
    hysteresis, quiet = chance.choice((0, 100, 200, 1000)), chance.choice((0, 60, 1440))
    return rule(kind=kind, amount=amount, hysteresis=hysteresis, quiet_minutes=quiet)


def test_a_late_upload_may_shift_which_moment_crosses() -> None:
    """What nothing can promise: one who hears of the last price first knows of no other."""
    first, middle, last = hourly(100, 89, 88)
    assert told([first, last], rule()) == [88]
    assert told([first, middle, last], rule()) == [89]


class Shop:
    """Products whose prices arrive by uploads, and what their rules have told so far."""

    def __init__(self, chance: random.Random, products: int) -> None:
        self.chance = chance
        self.paths: dict[str, list[Point]] = {}
        self.rules: dict[str, Rule] = {}
        self.stored: dict[str, list[Point]] = defaultdict(list)
        self.told: dict[str, dict[tuple[str, int], Crossing]] = defaultdict(dict)
        for number in range(products):
            pid = f"p{number}"
            walked = walk(chance, chance.randint(2, 60))
            # Of two retailers each goes its own way, at moments between those of the other.
            other = [
                msgspec.structs.replace(p, retailer="cargills", at_micros=p.at_micros + HOUR // 2)
                for p in walk(chance, chance.randint(2, 20))
            ]
            self.paths[pid] = walked + other
            self.rules[pid] = watched_by(chance, walked)

    def upload(self, rows: Sequence[tuple[str, Point]]) -> None:
        """Transactions are committed in any order, each followed before the next is there."""
        months: dict[MonthKey, list[Candidate]] = defaultdict(list)
        for pid, point in rows:
            name = month_of(from_epoch_micros(point.at_micros))
            taken = Candidate(1, pid, point, timed=True, confirmed=True, reference_minor=None)
            months[pid, name].append(taken)
        chunks = list(chunks_of(months))
        self.chance.shuffle(chunks)
        for chunk in chunks:
            for (pid, _), candidates in chunk.items():
                self.stored[pid] += [candidate.point for candidate in candidates]
            for pid in {pid for pid, _ in chunk}:
                self.follow(pid)

    def follow(self, pid: str) -> None:
        """As the prices are now, in any order and some of them more than once."""
        seen = [*self.stored[pid], *self.chance.choices(self.stored[pid], k=3)]
        self.chance.shuffle(seen)
        for crossing in crossings(seen, self.rules[pid]):
            moment = (crossing.retailer, crossing.at_micros)
            assert self.told[pid].setdefault(moment, crossing) == crossing


def arrivals(shop: Shop) -> list[list[tuple[str, Point]]]:
    """Uploads of many products: each retailer's rows in turn, shuffled, some sent again."""
    queues: list[list[list[tuple[str, Point]]]] = []
    for retailer in ("keells", "cargills"):
        parts = shop.chance.randint(3, 6)
        own: list[list[tuple[str, Point]]] = [[] for _ in range(parts)]
        for pid, path in shop.paths.items():
            points = [point for point in path if point.retailer == retailer]
            ends = [0, *sorted(shop.chance.choices(range(len(points) + 1), k=parts - 1))]
            for part, begin, end in zip(own, ends, [*ends[1:], len(points)], strict=True):
                part += [(pid, point) for point in points[begin:end]]
        for part in own:
            shop.chance.shuffle(part)
        queues.append(own)
    uploads: list[list[tuple[str, Point]]] = []
    while waiting := [queue for queue in queues if queue]:
        uploads.append(shop.chance.choice(waiting).pop(0))
    return uploads


@pytest.mark.parametrize("seed", range(10))
def test_over_a_thousand_paths_each_crossing_is_told_exactly_once(seed: int) -> None:
    """Of one retailer uploads come in order; of two, and of products, in any."""
    chance = random.Random(seed)  # noqa: S311 - the paths shall merely vary
    shop = Shop(chance, PATHS // 10)
    waiting = arrivals(shop)
    for rows in waiting:
        shop.upload(rows)
        shop.upload(chance.choice(waiting[: waiting.index(rows) + 1]))
    found_in_all = 0
    for pid, path in shop.paths.items():
        right = sorted(
            crossing
            for retailer in ("keells", "cargills")
            for crossing in oracle([p for p in path if p.retailer == retailer], shop.rules[pid])
        )
        assert sorted(shop.told[pid].values()) == right
        found_in_all += len(right)
    assert found_in_all > 200


def test_the_prices_that_a_crossing_depends_on_are_enough() -> None:
    chance = random.Random(7)  # noqa: S311 - likewise
    for _ in range(300):
        points = walk(chance, 60)
        watched = watched_by(chance, points)
        moment = points[-1].at_micros - chance.randint(0, 7) * DAY_MICROS
        needed = [p for p in points if p.at_micros > begins_at(watched, moment)]
        late = [c for c in crossings(points, watched) if c.at_micros > moment]
        assert [c for c in crossings(needed, watched) if c.at_micros > moment] == late
        assert moment - begins_at(watched, moment) <= SPAN_MICROS + PRIOR_MICROS + 8 * DAY_MICROS
