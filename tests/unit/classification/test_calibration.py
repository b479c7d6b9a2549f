"""What reviewers' decisions make of a provider's own figure."""

import json
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ai_models import Model
from shared.classification import circuits, deciding, ledgers
from shared.classification.calibration import FEWEST_TO_FIT, SAMPLED_ONE_IN, Outcome, curve
from shared.classification.deciding import Setting
from shared.classification.failover import Candidate
from shared.classification.models import Categories, Choice, Item
from shared.clients import redis
from shared.clients.ai.asking import Patience, Question, Reply

outcomes = st.lists(st.builds(Outcome, st.integers(0, 100), st.booleans()), max_size=600)


@given(outcomes)
def test_a_higher_figure_is_never_worth_less(known: list[Outcome]) -> None:
    learnt = curve(known)
    figures = [learnt.of(raw) for raw in range(101)]
    assert figures == sorted(figures)
    assert 0 <= figures[0] <= figures[-1] <= 100
    assert learnt.is_fitted == (len(known) >= FEWEST_TO_FIT)


def test_a_figure_that_nobody_has_checked_passes_no_usual_threshold() -> None:
    assert (curve([]).of(0), curve([]).of(50), curve([]).of(100)) == (0, 50, 65)


def test_a_few_right_answers_raise_it_and_a_few_wrong_ones_lower_it() -> None:
    right, wrong = ([Outcome(90, each)] * 30 for each in (True, False))
    assert curve(right).of(95) > 85
    assert curve(wrong).of(95) < 20
    assert curve(right[:2]).of(95) < 75


def test_the_curve_finds_how_right_an_overconfident_provider_is() -> None:
    """It says 60 to 100, and is right as often as half its distance from 20 says."""
    chance = random.Random(5)  # noqa: S311 - a fixed sample
    true = {raw: (raw - 20) / 100 for raw in range(60, 101)}
    known = [
        Outcome(raw, chance.random() < true[raw])
        for raw in (chance.randint(60, 100) for _ in range(500))
    ]
    learnt = curve(known)
    off = [abs(learnt.of(raw) - 100 * share) for raw, share in true.items()]
    assert sum(off) / len(off) < 6
    told = [abs(raw - 100 * share) for raw, share in true.items()]
    assert sum(told) / len(told) == 20


def test_one_that_is_surer_where_it_is_wrong_is_worth_its_share() -> None:
    known = [Outcome(95, right=False), Outcome(40, right=True)] * 40
    assert {curve(known).of(raw) for raw in (10, 50, 99)} == {50}


def test_of_old_decisions_the_newest_count() -> None:
    newest = [Outcome(80, right=True)] * 500
    assert curve([*newest, *[Outcome(80, right=False)] * 500]) == curve(newest)


@pytest.mark.parametrize(
    ("known", "told"), [([], (63, True)), ([True] * 49 + [False] * 11, (87, False))]
)
def test_a_result_passes_by_what_its_figure_is_worth(
    known: list[bool], told: tuple[int, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis, "client", lambda: None)
    monkeypatch.setattr(circuits, "_own", {})

    def ask(question: Question, model: str, patience: Patience) -> Reply:  # noqa: ARG001
        return Reply(json.dumps({"category": "tea", "confidence": 93, "rationale": "So."}), 1, 1)

    candidates = [Candidate("groq", Model("groq", "model", 1, 1), ask)]
    learnt = curve([Outcome(90, right) for right in known])
    tea = Categories((Choice("tea", ("Tea",)),))
    setting = Setting(
        tea, candidates, 70, 9.0, lambda _provider, raw: learnt.of(raw), cascade=False
    )
    (decided,) = deciding.decide_with(setting, [Item("Tea")], time.monotonic() + 60)
    assert (decided.confidence, decided.needs_review) == told
    assert decided.raw_confidence == 93


def test_a_person_is_asked_of_one_sure_answer_in_fifty_once_a_curve_is_fitted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fitted, shrunk = curve([Outcome(90, right=True)] * FEWEST_TO_FIT), curve([])
    known = {"groq": fitted, "gemini": shrunk}
    monkeypatch.setattr(ledgers, "_kept", (time.monotonic(), known))
    items = [Item(f"Tea {n}") for n in range(2000)]
    drawn = sum(ledgers.is_drawn("groq", item) for item in items)
    assert abs(drawn - 2000 / SAMPLED_ONE_IN) < 20
    assert not any(ledgers.is_drawn("gemini", item) for item in items)
