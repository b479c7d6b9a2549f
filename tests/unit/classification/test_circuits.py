"""What an instance tells of its calls, where nobody else is."""

from collections import defaultdict

import pytest

from shared.classification import circuits
from shared.classification.circuit_rules import Circuit
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


def test_where_all_is_well_what_is_answered_is_told_together(told: list[Circuit]) -> None:
    for latency_ms in range(5):
        circuits.succeeded("groq", latency_ms)
    assert len(told) == 1
    circuits._told_at.clear()
    circuits.succeeded("groq", 5)
    assert [each.latency_ms for each in told[-1].samples] == [0, 1, 2, 3, 4, 5]


def test_a_success_after_a_failure_is_told_at_once(told: list[Circuit]) -> None:
    circuits.succeeded("groq", 1)
    circuits.failed("groq", ProviderFailed("timeout"), 2)
    circuits.succeeded("groq", 3)
    assert [each.failures for each in told] == [0, 1, 0]
    assert circuits.wait_of("groq") is None
