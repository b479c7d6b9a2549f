"""Several products in one call, by each provider's real SDK, and one of them that is obeyed."""

import time
from collections.abc import Iterator

import pytest
from llmock.state import LLMockState

from local.stack import Stack
from shared.classification import circuits, deciding, providers
from shared.classification.deciding import Setting
from shared.classification.failover import Candidate
from shared.classification.models import KEYED, Decided, Item
from tests.integration.classification.models import Thinking, models_at
from tests.integration.edge.instance import instance
from tests.mock_model import CATEGORIES, MockModel, Row, category_of

NAMES = ["Ceylon Tea 100s", "Full Cream Milk 1 l", "Lemon Puff 200g", "Samba Rice 5 kg"]
OBEYED = "Golden Moon Tea"


@pytest.fixture(scope="module")
def models(stack: Stack) -> Iterator[LLMockState]:
    with instance(stack.environment()), models_at(stack) as state:
        yield state
    Thinking.model = None


def decide(provider: str, *names: str, cascade: bool = False) -> list[Decided]:
    circuits.forget(provider)
    ask = providers.keyed(provider, "canary-key-0123456789")
    candidate = Candidate(provider, providers.model_of(provider, None), ask)
    setting = Setting(CATEGORIES, [candidate], 70, 20.0, cascade=cascade)
    return deciding.decide_with(setting, [Item(name) for name in names], time.monotonic() + 60)


def swapped(rows: list[Row], place: int) -> list[Row]:
    """Each stands under the mark of the one before."""
    marks = [row.get("mark") for row in rows]
    return [
        {**row, "mark": mark} for row, mark in zip(rows, marks[place:] + marks[:place], strict=True)
    ]


@pytest.mark.parametrize("provider", KEYED)
def test_an_answer_for_several_counts_as_a_whole_or_not_at_all(
    models: LLMockState, provider: str
) -> None:
    models.reset()
    Thinking.model = MockModel({OBEYED: swapped})

    honest = decide(provider, *NAMES)
    assert [each.category for each in honest] == [category_of(name) for name in NAMES]
    assert [each.calls for each in honest] == [1, 0, 0, 0]
    assert {each.provider for each in honest} == {provider}
    assert {each.prompt_version for each in honest} == {"1s"}
    assert min(each.input_tokens for each in honest) > 10
    assert sum(each.cost_micros for each in honest) > 0
    assert len(models.journal.records(wait=2)) == 1

    obeyed = decide(provider, *NAMES, OBEYED)
    assert [each.category for each in obeyed[:-1]] == [each.category for each in honest]
    assert obeyed[-1].category is None
    assert {each.prompt_version for each in obeyed} == {"1"}
    assert len(Thinking.model.asked) == len(models.journal.records(wait=2)) == 1 + 1 + 5


def test_what_was_answered_of_late_is_not_paid_for_again(models: LLMockState) -> None:
    models.reset()
    Thinking.model = MockModel()
    names = [f"{name} {time.time_ns()}" for name in NAMES]
    first = decide("groq", *names, f" {names[0]}", cascade=True)
    again = decide("groq", *names, cascade=True)
    assert [each.source for each in first] == [*["provider"] * 4, "twin"]
    assert [each.source for each in again] == ["cache"] * 4
    assert [each.category for each in again] == [category_of(name) for name in names]
    assert (again[0].calls, again[0].cost_micros, again[0].model) == (0, 0, first[0].model)
    assert len(models.journal.records(wait=2)) == 1
