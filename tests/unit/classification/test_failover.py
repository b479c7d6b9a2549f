"""One product and several candidates: whatever one of them does, the others are asked in time."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import msgspec
import pytest

from shared.ai_models import Model
from shared.classification import circuits, failover, paying, spending
from shared.classification.circuit_rules import Circuit
from shared.classification.circuits import Permit
from shared.classification.failover import AllFailed, Candidate, Result
from shared.classification.models import Categories, Choice, Item
from shared.classification.providers import Ask
from shared.classification.spending import Reservation, Spent
from shared.clients import redis
from shared.clients.ai.asking import Patience, ProviderFailed, Question, Reply, Stopped
from shared.clock import utc_now
from shared.errors import DependencyUnavailable

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


def test_who_needs_no_network_is_asked_beyond_the_end() -> None:
    seen: list[float] = []
    local = Candidate("local", MODEL, asking(None, seen), has_circuit=False)
    assert classify(Asker(0.0), candidate("groq"), local).provider == "local"
    # And with time to answer, as what it learns when it is first asked takes some.
    assert seen[0] > SECONDS - 1


def test_nobody_is_waited_for_beyond_the_end() -> None:
    asker = Asker(4.0)
    with pytest.raises(AllFailed, match="rate_limited"):
        classify(asker, candidate("groq", ProviderFailed("rate_limited", 5.0)))
    assert asker.waits == []


@pytest.mark.parametrize(
    ("failure", "paid"),
    [
        (ProviderFailed("bad_output", tokens=(100, 10)), 120),
        (ProviderFailed("rate_limited"), 0),
        (ProviderFailed("timeout", tokens=(100, 10)), 120),
        # Nobody knows what it has done until then.
        (ProviderFailed("timeout"), None),
        (RuntimeError("odd"), None),
    ],
)
def test_each_call_is_settled_once_for_what_is_known_of_its_cost_or_in_full(
    monkeypatch: pytest.MonkeyPatch, failure: Exception, paid: int | None
) -> None:
    settled: list[tuple[Reservation, int]] = []
    monkeypatch.setattr(spending, "settle", lambda *of: settled.append(of))
    classify(Asker(), candidate("groq", failure), candidate("gemini"))
    (first, cost), (second, free) = settled
    assert cost == (first.micros if paid is None else paid)
    assert 1000 < first.micros < second.micros
    assert free == 0


def test_whose_budget_is_spent_is_passed_over_without_a_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def reserve(model: Model, micros: int) -> Reservation:
        if model.provider == "groq":
            raise Spent
        return Reservation("call", model.provider, "2026-01-01", 0, micros, utc_now())

    monkeypatch.setattr(spending, "reserve", reserve)
    asker, seen = Asker(), list[float]()
    groq = Candidate("groq", MODEL, asking(None, seen))
    other = msgspec.structs.replace(MODEL, provider="gemini")
    assert classify(asker, groq, Candidate("gemini", other, asking(None))).provider == "gemini"
    with pytest.raises(AllFailed, match="groq: budget"):
        classify(asker, groq)
    assert (seen, asker.restarts) == ([], [])


def test_where_the_books_are_out_of_reach_whoever_is_free_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def reserve(model: Model, micros: int) -> Reservation:  # noqa: ARG001
        raise DependencyUnavailable("The books are too busy.")

    monkeypatch.setattr(spending, "reserve", reserve)
    free = Candidate("local", MODEL, asking(None), has_circuit=False)
    assert classify(Asker(), candidate("groq"), free).provider == "local"
    with pytest.raises(AllFailed, match="groq: the books were out of reach"):
        classify(Asker(), candidate("groq"))


def _halfopen(monkeypatch: pytest.MonkeyPatch) -> list[Permit]:
    """Has the next call be the trial; says which places were given back."""
    trial, given = Permit("groq", 1.0, "token"), list[Permit]()
    monkeypatch.setattr(circuits, "permit", lambda _provider, **_: trial)
    monkeypatch.setattr(circuits, "give_back", given.append)
    return given


@pytest.mark.parametrize("why", [Spent(), DependencyUnavailable("away"), RuntimeError("odd")])
def test_the_place_of_a_trial_that_cannot_be_paid_is_given_back(
    monkeypatch: pytest.MonkeyPatch, why: Exception
) -> None:
    given = _halfopen(monkeypatch)

    def reserve(model: Model, micros: int) -> Reservation:  # noqa: ARG001
        raise why

    monkeypatch.setattr(spending, "reserve", reserve)
    with pytest.raises((AllFailed, RuntimeError)):
        classify(Asker(), candidate("groq"))
    assert [each.trial for each in given] == ["token"]


@pytest.mark.parametrize("does", [Stopped(), ProviderFailed("timeout"), None])
def test_the_place_of_a_trial_is_given_back_whatever_becomes_of_it(
    monkeypatch: pytest.MonkeyPatch, does: Exception | None
) -> None:
    given = _halfopen(monkeypatch)
    with suppress(Stopped, AllFailed):
        classify(Asker(), candidate("groq", does))
    assert [each.trial for each in given] == ["token"]


@pytest.mark.parametrize("is_first", [True, False])
def test_a_trial_is_taken_by_a_call_that_has_its_place(
    monkeypatch: pytest.MonkeyPatch, *, is_first: bool
) -> None:
    circuits._own["groq"] = Circuit(failures=3, openings=1, open_until=1.0)
    happened: list[str] = []

    def take(_provider: str, _token: str) -> bool:
        happened.append("trial")
        return is_first

    @contextmanager
    def place() -> Iterator[None]:
        happened.append("place")
        yield

    monkeypatch.setattr(circuits, "_take_trial", take)
    monkeypatch.setattr(paying, "place", place)
    monkeypatch.setattr(spending, "release", lambda _held: happened.append("released"))
    with paying.beside(1):
        told = classify(Asker(), candidate("groq"), candidate("local"))
    assert told.provider == ("groq" if is_first else "local")
    assert happened[:2] == ["place", "trial"]
    # Who was made ready for nothing holds nothing.
    assert ("released" in happened) is not is_first
