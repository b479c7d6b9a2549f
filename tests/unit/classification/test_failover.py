"""One product and several candidates: whatever one of them does, the others are asked in time."""

import json
from dataclasses import dataclass, field

import pytest

from shared.ai_models import Model
from shared.classification import circuits, failover, spending
from shared.classification.failover import AllFailed, Candidate, Result
from shared.classification.models import Categories, Choice, Item
from shared.classification.providers import Ask
from shared.clients import redis
from shared.clients.ai.asking import Patience, ProviderFailed, Question, Reply

CATEGORIES = Categories((Choice("milk", ("Milk",)), Choice("tea", ("Tea",))))
ANSWER = json.dumps({"category": "tea", "confidence": 90, "rationale": ""})
MODEL = Model("groq", "model", 1_000_000, 2_000_000)
SECONDS = 20.0


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """An instance without Redis, which knows of no circuit yet."""
    monkeypatch.setattr(redis, "client", lambda: None)
    monkeypatch.setattr(circuits, "_own", {})


@dataclass
class Asker:
    """Waits for `seconds` in all, and remembers what it is told."""

    seconds: float = 500.0
    restarts: list[tuple[str, str]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def restart(self, provider: str, reason: str) -> None:
        self.restarts.append((provider, reason))

    def is_gone(self) -> bool:
        return False

    def left(self) -> float:
        return self.seconds

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        return False


def candidate(provider: str, does: Exception | None = None) -> Candidate:
    return Candidate(provider, MODEL, asking(does))


def asking(does: Exception | None, seen: list[float] | None = None) -> Ask:
    def ask(question: Question, model: str, patience: Patience) -> Reply:  # noqa: ARG001
        if seen is not None:
            seen.append(patience.left())
        if does is not None:
            raise does
        return Reply(ANSWER)

    return ask


def classify(asker: Asker, *candidates: Candidate) -> Result:
    return failover.classify(Item("Tea"), CATEGORIES, candidates, asker, SECONDS)


def test_what_nobody_foresaw_of_a_provider_is_its_failure_and_another_takes_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    asker = Asker()
    result = classify(asker, candidate("groq", RuntimeError("odd")), candidate("gemini"))
    assert result.provider == "gemini"
    assert asker.restarts == [("gemini", "network")]
    assert circuits.read(["groq"])["groq"].failures == 1
    assert "odd" in caplog.text


def test_a_call_takes_no_longer_than_is_left() -> None:
    seen: list[float] = []
    classify(Asker(3.0), Candidate("groq", MODEL, asking(None, seen)))
    classify(Asker(), Candidate("groq", MODEL, asking(None, seen)))
    assert 2.0 < seen[0] <= 3.0
    assert 19.0 < seen[1] <= SECONDS


def test_beyond_the_end_nobody_is_asked() -> None:
    with pytest.raises(AllFailed, match="groq: no time was left; gemini: no time was left"):
        classify(Asker(0.0), candidate("groq"), candidate("gemini"))


def test_nobody_is_waited_for_beyond_the_end() -> None:
    asker = Asker(4.0)
    with pytest.raises(AllFailed, match="rate_limited"):
        classify(asker, candidate("groq", ProviderFailed("rate_limited", 5.0)))
    assert asker.waits == []


def test_an_answer_that_was_cut_short_is_paid_for(monkeypatch: pytest.MonkeyPatch) -> None:
    paid: list[tuple[str, int]] = []
    monkeypatch.setattr(spending, "add", lambda *of: paid.append(of))
    cut = ProviderFailed("bad_output", tokens=(100, 10))
    classify(Asker(), candidate("groq", cut), candidate("gemini"))
    assert paid == [("groq", 120), ("gemini", 0)]
