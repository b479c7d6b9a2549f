"""The dashboard's figures out of a few summaries whose answer is known."""

import pytest

from shared.prices.dashboard import fresh, movers, retailer_index, volatility
from shared.prices.models import DAY_MICROS, MAX_MONTH_BYTES, Point
from shared.prices.summaries import Summary, pack, summary_of, unpack

NOW = 1000 * DAY_MICROS


def summary(
    retailer: str, price: int, *partners: str, before: int | None = None, at: int = NOW
) -> Summary:
    return Summary(retailer, "LKR", price, at, before, 1.0, partners)


def points(*prices: int, step_days: int = 1) -> list[Point]:
    first = NOW - (len(prices) - 1) * step_days * DAY_MICROS
    return [
        Point(first + at * step_days * DAY_MICROS, "keells", price, "LKR", "api")
        for at, price in enumerate(prices)
    ]


def test_the_index_is_the_geometric_mean_on_matched_products_only() -> None:
    known = {
        "a": summary("keells", 110, "b"),
        "b": summary("cargills", 100),
        "c": summary("keells", 1210, "d"),
        "d": summary("cargills", 1000),
        "alone": summary("keells", 10**9),
    }
    index = {each.retailer: each for each in retailer_index(known)}
    ratio = (1.1 * 1.21) ** 0.5
    assert index["keells"].figure == pytest.approx(100 * ratio**0.5, abs=0.01)
    assert index["cargills"].figure == pytest.approx(100 / ratio**0.5, abs=0.01)
    assert {each.products for each in index.values()} == {2}


def test_what_people_have_merged_is_compared_as_one() -> None:
    def merged(retailer: str, price: int, group_id: str = "g", *partners: str) -> Summary:
        return Summary(retailer, "LKR", price, NOW, None, 1.0, partners, group_id)

    known = {"a": merged("keells", 121), "b": merged("cargills", 100)}
    assert {each.retailer: each.figure for each in retailer_index(known)} == {
        "keells": pytest.approx(110, abs=0.01),
        "cargills": pytest.approx(90.91, abs=0.01),
    }
    assert retailer_index({"a": known["a"], "b": merged("cargills", 100, "another")}) == []
    # As many matched by scores alone would be a mistaken chain.
    many = {f"p{n:02}": merged(f"shop-{n}", 100) for n in range(20)}
    assert len(retailer_index(many)) == 20
    chain = {f"p{n:02}": summary(f"shop-{n}", 100, f"p{n + 1:02}") for n in range(20)}
    assert retailer_index(chain) == []


def test_movers_are_the_largest_each_way() -> None:
    known = {f"p{n:02}": summary("keells", 100 + n, before=100) for n in range(-20, 21)}
    up, down = movers(known)
    assert [mover.change_percent for mover in up] == list(range(20, 10, -1))
    assert [mover.change_percent for mover in down] == list(range(-20, -10))


def test_few_movers_are_not_told_both_ways() -> None:
    up, down = movers({"a": summary("keells", 110, before=100), "b": summary("keells", 5)})
    assert [mover.product_id for mover in up] == ["a"]
    assert down == []


def test_only_a_week_is_fresh() -> None:
    known = {
        "old": summary("keells", 1, at=NOW - 8 * DAY_MICROS),
        "new": summary("keells", 1, at=NOW - 6 * DAY_MICROS),
    }
    assert set(fresh(known, NOW)) == {"new"}


def test_volatility_is_the_median_of_products() -> None:
    known = {
        f"p{n}": Summary("keells", "LKR", 1, NOW, None, spread, ())
        for n, spread in enumerate((1.0, 2.0, 9.0, None))
    }
    (told,) = volatility(known)
    assert (told.figure, told.products) == (2.0, 3)


def test_a_summary_knows_the_newest_price_and_that_of_a_week_before() -> None:
    made = summary_of(points(100, 200, 300, step_days=7), "keells", "LKR", ["b"])
    assert made is not None
    assert (made.price_minor, made.week_ago_minor, made.partners) == (300, 200, ("b",))
    assert made.volatility_percent == pytest.approx(40.82)
    assert summary_of(points(100), "cargills", "LKR", []) is None
    single = summary_of(points(100), "keells", "LKR", [])
    assert single is not None
    assert (single.week_ago_minor, single.volatility_percent) == (None, None)


def test_too_many_summaries_lose_those_seen_longest_ago() -> None:
    known = {f"{n:020}": summary("keells", n, at=NOW + n) for n in range(3000)}
    kept = unpack(pack(known))
    assert len(pack(known)) <= MAX_MONTH_BYTES
    assert set(kept) == set(sorted(known)[-len(kept) :])
    assert len(kept) > 1000
