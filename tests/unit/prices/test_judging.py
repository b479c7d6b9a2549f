"""One uploaded price beside those that are known."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.clock import epoch_micros
from shared.prices.judging import SAME_PRICE, Candidate, Month
from shared.prices.models import MAX_MONTH_BYTES, Point, months_between, pack, unpack

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)


def candidate(
    price: int,
    at: datetime = NOON,
    *,
    timed: bool = True,
    confirmed: bool = False,
    reference: int | None = None,
) -> Candidate:
    point = Point(epoch_micros(at), "keells", price, "LKR", "api")
    return Candidate(1, "p", point, timed, confirmed, reference)


def test_the_same_price_is_stored_once() -> None:
    month = Month([])
    assert month.take(candidate(100)).verdict == "stored"
    assert month.take(candidate(100)).verdict == "unchanged"
    assert month.take(candidate(100, NOON + timedelta(days=1))).verdict == "stored"
    assert len(month.points) == 2


def test_another_price_for_the_same_moment_is_rejected_with_the_one_that_stands() -> None:
    judged = Month([candidate(12_345).point]).take(candidate(12_400))
    assert judged.verdict == "rejected"
    assert "123.45 LKR" in judged.reason


def test_an_unlikely_price_is_quarantined_unless_somebody_stands_for_it() -> None:
    for usual, price in ((1000, 10_000), (10_000, 1000), (1000, 5001), (5001, 1000)):
        month = Month([])
        judged = month.take(candidate(price, reference=usual))
        assert judged.verdict == "quarantined"
        assert "usual" in judged.reason
        assert not month.changed
        assert month.take(candidate(price, reference=usual, confirmed=True)).verdict == "stored"
    assert Month([]).take(candidate(5000, reference=1000)).verdict == "stored"


def test_what_is_known_of_the_month_counts_more_than_the_products_own_price() -> None:
    known = [candidate(10_000, NOON - timedelta(days=day)).point for day in (1, 2, 3)]
    assert Month(known).take(candidate(11_000, reference=1000)).verdict == "stored"
    assert Month(known).take(candidate(1000, reference=1000)).verdict == "quarantined"


def test_without_anything_to_compare_a_price_is_believed() -> None:
    assert Month([]).take(candidate(10**12)).verdict == "stored"


def test_a_price_without_a_time_that_is_sent_again_is_not_stored_again() -> None:
    month = Month([candidate(100, NOON).point])
    soon, later = NOON + SAME_PRICE, NOON + SAME_PRICE + timedelta(seconds=1)
    assert month.take(candidate(100, soon, timed=False)).verdict == "unchanged"
    assert month.take(candidate(101, soon, timed=False)).verdict == "stored"
    assert (
        Month([candidate(100).point]).take(candidate(100, later, timed=False)).verdict == "stored"
    )


def test_a_full_month_says_so_and_stays_under_its_limit() -> None:
    month, moment, verdicts = Month([]), NOON, []
    for number in range(3000):
        verdicts.append(month.take(candidate(100_000 + number, moment)).verdict)
        moment += timedelta(minutes=1)
    assert set(verdicts) == {"stored", "rejected"}
    assert verdicts.index("rejected") > 1000
    assert len(pack(month.points)) <= MAX_MONTH_BYTES


POINTS = st.builds(
    Point,
    st.integers(0, 2 * 10**15),
    st.sampled_from(["keells", "cargills"]),
    st.integers(1, 10**13),
    st.just("LKR"),
    st.sampled_from(["crawler", "manual", "api"]),
)


@given(st.lists(POINTS, max_size=30))
def test_points_survive_their_packing_in_order_of_time(points: list[Point]) -> None:
    assert unpack(pack(points)) == sorted(points)


def test_months_are_counted_across_years() -> None:
    begin, end = datetime(2025, 11, 30, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    assert months_between(begin, end) == ["2025-11", "2025-12", "2026-01", "2026-02"]
    assert months_between(begin, begin) == ["2025-11"]
