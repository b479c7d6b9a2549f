"""Some items and who answers for them: each ends with one result, whatever a provider does."""

import json
import time
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import pytest

from shared.ai_models import Model
from shared.classification import circuits, deciding, known_neighbours, reviews, spending
from shared.classification.deciding import Setting
from shared.classification.failover import Candidate
from shared.classification.known_neighbours import KnownNeighbours
from shared.classification.models import Categories, Choice, Decided, Example, Item
from shared.classification.spending import Reservation
from shared.clients import redis
from shared.clients.ai.asking import Patience, ProviderFailed, Question, Reply
from shared.clock import utc_now
from tests.polling import eventually

CATEGORIES = Categories((Choice("milk", ("Milk",)), Choice("tea", ("Tea",))))
MODEL = Model("groq", "model", 1_000_000, 2_000_000)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """An instance without Redis, which knows of no circuit yet."""
    monkeypatch.setattr(redis, "client", lambda: None)
    monkeypatch.setattr(circuits, "_own", {})
    monkeypatch.setattr(known_neighbours, "read", _neighbours)


def _neighbours(categories: Categories) -> KnownNeighbours:
    return KnownNeighbours(categories, [Example("Known Green Tea", "tea")], [])


@dataclass
class Heard:
    """Whoever waits, and what it heard."""

    gone_after: int = 1_000_000
    decided_: list[Decided] = field(default_factory=list)

    def restart(self, index: int, provider: str, reason: str) -> None:
        """Heard by the tests of the stream."""

    def decided(self, decided: Decided) -> None:
        self.decided_.append(decided)

    def is_gone(self) -> bool:
        return len(self.decided_) >= self.gone_after

    def wait(self, seconds: float) -> bool:  # noqa: ARG002 - as the Protocol has it
        return False


def tea_or_milk(question: Question, model: str, patience: Patience) -> Reply:  # noqa: ARG001
    """Fails at what is neither."""
    found = [each for each in ("milk", "tea") if each in question.text.lower()]
    if not found:
        raise ProviderFailed("refused")
    answer = {"category": found[0], "confidence": 60 if found[0] == "milk" else 90}
    return Reply(json.dumps({**answer, "rationale": "So."}), 10, 2)


def decide(*names: str, heard: Heard | None = None, **how: Any) -> list[Decided]:
    whom = [Candidate("groq", MODEL, tea_or_milk)]
    setting = Setting(CATEGORIES, whom, 70, 20.0, most_in_call=1, **how)
    items = [Item(name) for name in names]
    return deciding.decide_with(setting, items, time.monotonic() + 60, heard)


def test_each_item_has_its_own_result_in_its_place() -> None:
    heard = Heard()
    found = decide("Ceylon Tea", "Full Milk", "Soap", heard=heard)
    assert [each.index for each in found] == [0, 1, 2]
    assert [each.category for each in found] == ["tea", "milk", None]
    assert [each.needs_review for each in found] == [False, True, True]
    assert found[2].failure == "No provider gave an answer. groq: refused"
    assert (found[0].cost_micros, found[0].model) == (14, "model")
    assert sorted(heard.decided_, key=lambda each: each.index) == found


def test_what_nobody_waits_for_is_left_out() -> None:
    assert decide("Tea", heard=Heard(gone_after=0)) == []


def test_what_is_known_or_there_twice_is_not_asked_about() -> None:
    found = decide("Green Tea", "known green tea 50 g", " Green  Tea", "Known Green Teas")
    assert [each.source for each in found] == ["provider", "neighbour", "twin", "provider"]
    assert [each.category for each in found] == ["tea"] * 4
    assert [each.calls for each in found] == [1, 0, 0, 1]
    assert [each.needs_review for each in found] == [False] * 4
    assert (found[1].provider, found[1].model, found[1].raw_confidence) == (None, None, None)
    assert (found[2].provider, found[2].cost_micros) == ("groq", 0)
    apart = decide("Green Tea", "known green tea 50 g", " Green  Tea", cascade=False)
    assert [each.source for each in apart] == ["provider"] * 3
    shouted = decide("Green Tea", "GREEN TEA", "Green Tea 50 g", "Green Tea 100 g")
    assert [each.source for each in shouted] == ["provider"] * 4


def test_who_is_named_answers_himself_and_once() -> None:
    found = decide("Known Green Tea", "Known Green Tea ", is_named=True)
    assert [each.source for each in found] == ["provider", "twin"]


def test_what_no_time_is_left_for_is_answered_by_whoever_needs_no_network() -> None:
    local = Candidate("local", MODEL, tea_or_milk, has_circuit=False, takes_many=False)
    setting = Setting(CATEGORIES, [Candidate("groq", MODEL, tea_or_milk), local], 70, 20.0)
    found = deciding.decide_with(setting, [Item("Ceylon Tea"), Item("Milk"), Item("Soap")], 0.0)
    assert [each.category for each in found] == ["tea", "milk", None]
    assert [each.provider for each in found] == ["local", "local", None]


def test_a_twin_of_what_failed_fails_and_is_not_asked_about() -> None:
    found = decide("Soap", "Soap ")
    assert [each.failure for each in found] == ["No provider gave an answer. groq: refused"] * 2
    assert [each.calls for each in found] == [1, 0]


def test_of_what_is_sure_a_person_is_asked_about_a_sample() -> None:
    found = decide("Green Tea", "Green Tea ", "Known Green Tea", "Milk", is_drawn=lambda *_: True)
    # Not of what a provider was not asked for, and for no other reason than there is.
    assert [each.needs_review for each in found] == [True, False, False, True]
    reasons = [reviews.review_entry(Item(""), of, origin="", at=utc_now())[1] for of in found[::3]]
    assert [each["reason"] for each in reasons] == ["unlabelled", "low_confidence"]


def test_calls_are_settled_beside_each_other_and_all_of_them_before_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settled: list[Decided] = []
    heard = Heard()

    def settle(_held: object, _micros: int) -> None:
        # What waits for the result does not wait for the books.
        eventually(lambda: bool(heard.decided_), timeout_seconds=10)
        settled.append(heard.decided_[0])

    monkeypatch.setattr(spending, "settle", settle)
    decide("Ceylon Tea", "Full Milk", "Soap", heard=heard)
    assert len(settled) == 3


def test_calls_are_made_ready_beside_those_that_are_under_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reserved, under_way, most = [0], [0], [0]
    hold, lock = spending.reserve, Lock()

    def reserve(model: Model, micros: int) -> Reservation:
        reserved[0] += 1
        return hold(model, micros)

    def ask(question: Question, model: str, patience: Patience) -> Reply:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        # The first two are answered once as many more are ready.
        eventually(lambda: reserved[0] >= 4, timeout_seconds=10)
        with lock:
            under_way[0] -= 1
        return tea_or_milk(question, model, patience)

    monkeypatch.setattr(spending, "reserve", reserve)
    setting = Setting(
        CATEGORIES, [Candidate("groq", MODEL, ask)], 70, 20.0, most_in_call=1, threads=2
    )
    items = [Item(f"Tea {n}") for n in range(6)]
    found = deciding.decide_with(setting, items, time.monotonic() + 60)
    assert [each.category for each in found] == ["tea"] * 6
    assert most == [2]


def test_what_was_ready_is_not_asked_of_whom_the_call_before_has_found_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reserved, asked, released = [0], [0], list[object]()
    hold = spending.reserve

    def reserve(model: Model, micros: int) -> Reservation:
        reserved[0] += 1
        return hold(model, micros)

    def ask(question: Question, model: str, patience: Patience) -> Reply:  # noqa: ARG001
        asked[0] += 1
        eventually(lambda: reserved[0] == 2, timeout_seconds=10)
        raise ProviderFailed("bad_key")

    monkeypatch.setattr(spending, "reserve", reserve)
    monkeypatch.setattr(spending, "release", released.append)
    setting = Setting(
        CATEGORIES, [Candidate("groq", MODEL, ask)], 70, 20.0, most_in_call=1, threads=1
    )
    found = deciding.decide_with(setting, [Item("Tea"), Item("Milk")], time.monotonic() + 60)
    assert sorted(str(each.failure).rpartition(": ")[2] for each in found) == [
        "bad_key",
        "left alone for now",
    ]
    assert (asked, len(released)) == ([1], 1)


def test_what_passes_is_for_the_calibrated_figure_to_say() -> None:
    (found,) = decide("Green Tea", calibrated=lambda _provider, raw: raw // 2)
    assert (found.raw_confidence, found.confidence, found.needs_review) == (90, 45, True)
