"""What an instance tells of its calls, where nobody else is."""

from collections import defaultdict

import pytest

from shared.classification import circuits
from shared.classification.circuit_rules import FAILURES_TO_OPEN, Circuit
from shared.classification.circuits import LeftAlone
from shared.clients import redis
from shared.clients.ai.asking import ProviderFailed


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> list[Circuit]:
    """What was told, one after the other; the clock of what is well stands still."""
    monkeypatch.setattr(redis, "client", lambda: None)
    monkeypatch.setattr(circuits, "_own", {})
    monkeypatch.setattr(circuits, "_untold", defaultdict(list))
    monkeypatch.setattr(circuits, "_told_at", {})
    monkeypatch.setattr(circuits, "TOLD_SECONDS", 3600.0)
    heard: list[Circuit] = []
    change = circuits._change

    def hear(provider: str, *of: object) -> None:
        change(provider, *of)  # type: ignore[arg-type]
        heard.append(circuits._own[provider])

    monkeypatch.setattr(circuits, "_change", hear)
    return heard


def succeed(latency_ms: int) -> None:
    circuits.succeeded(circuits.permit("groq"), latency_ms)


def test_where_all_is_well_what_is_answered_is_told_together(told: list[Circuit]) -> None:
    for latency_ms in range(5):
        succeed(latency_ms)
    assert len(told) == 1
    circuits._told_at.clear()
    succeed(5)
    assert [each.latency_ms for each in told[-1].samples] == [0, 1, 2, 3, 4, 5]


def test_a_success_after_a_failure_is_told_at_once(told: list[Circuit]) -> None:
    succeed(1)
    circuits.failed(circuits.permit("groq"), ProviderFailed("timeout"), 2)
    succeed(3)
    assert [each.failures for each in told] == [0, 1, 0]
    assert circuits.permit("groq").trial == ""


def test_what_was_answered_and_not_told_yet_wipes_no_wait_that_came_between(
    told: list[Circuit],
) -> None:
    succeed(1)
    first, second = circuits.permit("groq"), circuits.permit("groq")
    # All is well, so this is told later.
    circuits.succeeded(first, 2)
    circuits.failed(second, ProviderFailed("rate_limited", 60.0), 3)
    circuits._told_at.clear()
    circuits.succeeded(second, 4)
    assert len(told[-1].samples) == 4
    with pytest.raises(LeftAlone) as alone:
        circuits.permit("groq")
    assert alone.value.wait_seconds == pytest.approx(60, abs=5)


def test_a_reading_that_began_before_a_change_does_not_undo_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _ in range(FAILURES_TO_OPEN):
        held = circuits.permit("groq")
        circuits.failed(held, ProviderFailed("timeout"), 1)
    opened = circuits._own["groq"]
    with monkeypatch.context() as before:
        before.setattr(circuits, "read", lambda _providers: {"groq": Circuit()})
        stale = circuits.permit("groq", lambda: opened.held_since - 1)
    with pytest.raises(LeftAlone):
        circuits.renewed(stale)
