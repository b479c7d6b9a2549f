"""What each vendor is really asked, as llmock hears it: above all the schema of the answer."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
import pytest
from llmock.state import LLMockState

from local.stack import Stack
from shared.ai_models import Model
from shared.classification import prompts, providers
from shared.classification.models import Categories, Choice, Item
from shared.clients.ai.asking import Patience, Question
from tests.integration.classification.models import Hearing, answer, models_at, reply
from tests.integration.edge.instance import instance

CATEGORIES: Final = Categories((Choice("milk", ("Milk",)), Choice("tea", ("Tea",))))
ITEMS: Final = (Item("Ceylon Tea 100g"), Item("Fresh Milk 1 l"))
MARKED: Final = prompts.marked(ITEMS)
ONE: Final = prompts.question(ITEMS[0], CATEGORIES)
QUESTIONS: Final = {
    "one": ONE,
    "several": prompts.question_of_several(MARKED, CATEGORIES),
}
KEY: Final = "canary-key-0123456789"


@pytest.fixture(scope="module")
def models(stack: Stack) -> Iterator[LLMockState]:
    with instance(stack.environment()), models_at(stack) as state:
        state.scenarios.add(reply(answer("tea")))
        yield state
    Hearing.heard = None


def asked(provider: str, question: Question, model: str | None = None) -> dict[str, Any]:
    """The body of the one call that the provider's SDK makes."""
    Hearing.heard = []
    known: Model = providers.model_of(provider, model)
    providers.keyed(provider, KEY)(question, known.name, Patience(20))
    (body,) = Hearing.heard
    return body


def schema_of(body: dict[str, Any]) -> Any:
    wanted = body["response_format"]
    assert wanted["type"] == "json_schema"
    assert wanted["json_schema"]["strict"] is True
    return wanted["json_schema"]["schema"]


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("many", QUESTIONS)
@pytest.mark.parametrize(
    ("provider", "model"),
    [("groq", "openai/gpt-oss-120b"), ("cerebras", None), ("openrouter", None)],
)
def test_the_schema_reaches_those_who_speak_openais_protocol(
    provider: str, model: str | None, many: str
) -> None:
    body = asked(provider, QUESTIONS[many], model)
    assert schema_of(body) == QUESTIONS[many].schema
    # OpenRouter is to pass the call on to those only who keep to it.
    routing = {"require_parameters": True} if provider == "openrouter" else None
    assert body.get("provider") == routing
    # Groq streams no structured output.
    assert body.get("stream", False) == (provider != "groq")


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("many", QUESTIONS)
def test_the_schema_reaches_gemini(many: str) -> None:
    wanted = asked("gemini", QUESTIONS[many])["generationConfig"]
    assert wanted["responseJsonSchema"] == QUESTIONS[many].schema
    assert wanted["responseMimeType"] == "application/json"
    assert "responseSchema" not in wanted


@pytest.mark.usefixtures("models")
def test_a_model_of_groq_that_knows_no_schema_is_asked_for_json_in_words() -> None:
    body = asked("groq", ONE)
    assert body["response_format"] == {"type": "json_object"}
    # Which Groq wants to be said in the prompt as well.
    assert "JSON" in body["messages"][0]["content"]


def test_the_schema_closes_the_list_of_categories_and_of_products() -> None:
    one, several = ONE.schema, QUESTIONS["several"].schema
    row = several["properties"]["products"]["items"]
    for told in (one, row):
        assert told["properties"]["category"]["enum"] == ["milk", "tea"]
    assert row["properties"]["mark"]["enum"] == [each.mark for each in MARKED]
    for told in (one, several, row):
        assert told["additionalProperties"] is False
        assert told["required"] == list(told["properties"])


@pytest.mark.usefixtures("models")
def test_what_is_too_long_for_a_closed_list_is_told_in_the_prompt() -> None:
    count = prompts.MOST_IN_ENUM + 1
    many = Categories(tuple(Choice(f"c{n}", (f"Name {n}",)) for n in range(count)))
    body = asked("cerebras", prompts.question(ITEMS[0], many))
    assert "enum" not in msgspec.json.encode(schema_of(body)).decode()
    assert f"c{count - 1}: Name {count - 1}" in body["messages"][0]["content"]
