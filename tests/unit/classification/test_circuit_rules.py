"""When a provider is left alone, and for how long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.classification import circuit_rules as rules
from shared.classification.circuit_rules import Circuit, Report
from shared.clients.ai.asking import FailureKind

NOW = 1_000_000.0


def begun(began: float = NOW, latency_ms: int = 5) -> Report:
    return Report(began, latency_ms)


def after(*kinds: FailureKind, now: float = NOW, wait: float = 0.0) -> Circuit:
    circuit = Circuit()
    for kind in kinds:
        circuit = rules.after_failure(circuit, kind, wait, begun(now), now)
    return circuit


def test_it_opens_at_the_third_failure_in_a_row() -> None:
    assert rules.state(after("network", "timeout"), NOW) == "closed"
    opened = after("network", "timeout", "overloaded")
    assert rules.state(opened, NOW) == "open"
    assert rules.wait_seconds(opened, NOW) == rules.FIRST_REST_SECONDS
    assert opened.reason == "overloaded"


def test_a_success_between_begins_the_count_anew() -> None:
    circuit = rules.after_success(after("network", "network"), begun(), NOW)
    circuit = rules.after_failure(circuit, "network", 0, begun(), NOW)
    assert rules.state(circuit, NOW) == "closed"


def test_after_its_rest_one_failure_opens_it_for_longer_and_one_success_closes_it() -> None:
    opened = after("network", "network", "network")
    later = NOW + rules.FIRST_REST_SECONDS
    assert rules.state(opened, later) == "half_open"
    assert rules.wait_seconds(opened, later) == 0
    again = rules.after_failure(opened, "network", 0, begun(later), later)
    assert rules.wait_seconds(again, later) == 2 * rules.FIRST_REST_SECONDS
    later += 2 * rules.FIRST_REST_SECONDS
    closed = rules.after_success(again, begun(later), later + 1)
    assert (rules.state(closed, later), rules.wait_seconds(closed, later)) == ("closed", 0)
    assert (closed.failures, closed.openings) == (0, 0)


def test_it_never_rests_for_longer_than_ten_minutes() -> None:
    circuit, now = Circuit(), NOW
    for _ in range(40):
        circuit = rules.after_failure(circuit, "network", 0, begun(now), now)
        now += rules.wait_seconds(circuit, now)
    circuit = rules.after_failure(circuit, "network", 0, begun(now), now)
    assert rules.wait_seconds(circuit, now) == rules.LONGEST_REST_SECONDS


def test_calls_under_way_when_it_opens_are_no_failed_trials() -> None:
    blip: list[FailureKind] = ["timeout"] * 12
    circuit = after(*blip, "bad_key", "rate_limited", "bad_output", wait=3600)
    assert rules.wait_seconds(circuit, NOW) == rules.FIRST_REST_SECONDS
    assert (circuit.openings, circuit.reason) == (1, "timeout")
    assert len(circuit.samples) == 15


@pytest.mark.parametrize("kinds", [("bad_key",), ("network",) * 3])
def test_what_began_before_it_opened_neither_closes_it_nor_is_its_trial(
    kinds: tuple[FailureKind, ...],
) -> None:
    opened = after(*kinds)
    late = begun(NOW - 1)
    for now in (NOW + 1, NOW + 1000):
        told = [rules.after_success(opened, late, now)]
        told += [rules.after_failure(opened, kind, 0, late, now) for kind in ("network", "refused")]
        for each in told:
            assert len(each.samples) == len(opened.samples) + 1
            assert rules.state(each, now) == rules.state(opened, now) != "closed"
            assert each.open_until == opened.open_until
    tried = rules.after_success(opened, begun(NOW + 1000), NOW + 1001)
    assert rules.is_well(tried)
    # What is as old as that says nothing of the time since either.
    assert rules.is_well(rules.after_failure(tried, "bad_key", 0, late, NOW + 1002))


def test_nobody_shortens_the_wait_that_a_provider_asks_for() -> None:
    quiet = after("rate_limited", wait=60)
    for began in (NOW - 1, NOW + 1):
        report = begun(began)
        answered = rules.after_success(quiet, report, NOW + 2)
        assert rules.wait_seconds(answered, NOW + 2) == 58
        assert answered.reason == "rate_limited"
        shorter = rules.after_failure(quiet, "rate_limited", 1, report, NOW + 2)
        assert rules.wait_seconds(shorter, NOW + 2) == 58
        longer = rules.after_failure(quiet, "rate_limited", 90, report, NOW + 2)
        assert rules.wait_seconds(longer, NOW + 2) == 90
        refused = rules.after_failure(quiet, "refused", 0, report, NOW + 2)
        assert rules.wait_seconds(refused, NOW + 2) == 58
    assert rules.is_well(rules.after_success(quiet, begun(NOW + 60), NOW + 61))


@pytest.mark.parametrize("kind", ["bad_key", "no_service"])
def test_what_only_somebody_can_mend_opens_it_at_once(kind: FailureKind) -> None:
    assert rules.state(after(kind), NOW) == "open"
    assert rules.wait_seconds(after(kind), NOW) == rules.SOMEBODY_ACTS_SECONDS


def test_who_asks_to_be_left_alone_is_and_has_not_failed() -> None:
    circuit = after("rate_limited", "rate_limited", "rate_limited", "rate_limited", wait=7)
    assert rules.state(circuit, NOW) == "closed"
    assert rules.wait_seconds(circuit, NOW) == 7
    assert rules.wait_seconds(circuit, NOW + 7) == 0


def test_an_answer_that_is_wrong_says_that_the_provider_is_there() -> None:
    circuit = after("network", "network", "bad_output", "network", "network", "refused")
    assert rules.state(circuit, NOW) == "closed"
    assert rules.error_percent(circuit) == 100


def test_the_last_twenty_calls_are_remembered() -> None:
    circuit = Circuit()
    for latency_ms in range(30):
        circuit = rules.after_success(circuit, begun(latency_ms=latency_ms), NOW)
    assert len(circuit.samples) == rules.REMEMBERED
    assert rules.latency_ms(circuit) == 20
    assert rules.error_percent(circuit) == 0
    assert rules.latency_ms(Circuit()) is rules.error_percent(Circuit()) is None


KINDS = st.sampled_from(
    [
        "rate_limited",
        "overloaded",
        "timeout",
        "refused",
        "bad_key",
        "bad_output",
        "network",
        "ok",
        "no_service",
    ]
)


@given(
    st.lists(st.tuples(KINDS, st.floats(0, 3600), st.floats(0, 100), st.floats(0, 50)), max_size=40)
)
def test_whatever_happens_it_waits_no_longer_than_the_longest_and_no_success_shortens_it(
    calls: list[tuple[str, float, float, float]],
) -> None:
    circuit, now = Circuit(), NOW
    for kind, wait, pause, took in calls:
        now += pause
        report, before = Report(now - took, 1), circuit
        if kind == "ok":
            circuit = rules.after_success(before, report, now)
            assert max(circuit.quiet_until, now) == max(before.quiet_until, now)
            if report.began < before.held_since:
                assert rules.wait_seconds(circuit, now) == rules.wait_seconds(before, now)
        else:
            circuit = rules.after_failure(before, kind, wait, report, now)  # type: ignore[arg-type]
        assert rules.wait_seconds(circuit, now) <= 3600
