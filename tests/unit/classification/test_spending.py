"""What the limit of a day allows."""

import json
from unittest.mock import MagicMock

import msgspec
import pytest

from shared.ai_models import Model
from shared.classification import paying, prompts, refusals, spending
from shared.classification.failover import Candidate
from shared.classification.models import Categories, Choice, Item
from shared.classification.prompts import MOST_IN_ENUM
from shared.classification.spending import SHARDS, Spent, has_room
from shared.classification.spent import Used

# The fixture beside these tests stands in its place elsewhere.
reserve = spending.reserve


def test_each_shard_has_its_share_of_the_limit() -> None:
    assert has_room(0, SHARDS * 10, 10)
    assert not has_room(1, SHARDS * 10, 10)
    assert Used(0, (10, 10, 10, 9)).has_room(SHARDS * 10, 1)
    assert not Used(0, (10,) * SHARDS).has_room(SHARDS * 10, 1)


def test_with_a_limit_of_0_not_even_a_model_is_asked_that_costs_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(spending, "limit_of", lambda _provider: 0)
    with pytest.raises(Spent):
        reserve(Model("openrouter", "free", 0, 0), 0)
    assert not Used().has_room(0, 0)


def test_what_was_refused_is_refused_for_a_moment_and_so_is_whatever_costs_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(refusals, "_last", {})
    for micros in (9, 7, 8):
        if not refusals.is_refused("groq", "2026-05-04", 100, micros):
            refusals.remember("groq", "2026-05-04", 100, micros)
    assert [refusals.is_refused("groq", "2026-05-04", 100, n) for n in (6, 7, 8, 9)] == [
        False,
        True,
        True,
        True,
    ]
    # Another day, another limit, and another provider have room of their own.
    assert not refusals.is_refused("groq", "2026-05-05", 100, 9)
    assert not refusals.is_refused("groq", "2026-05-04", 101, 9)
    assert not refusals.is_refused("gemini", "2026-05-04", 100, 9)
    refusals.remember("groq", "2026-05-05", 100, 9)
    assert len(refusals._last) == 1
    monkeypatch.setattr(refusals, "KEPT_SECONDS", 0.0)
    refusals.remember("groq", "2026-05-04", 100, 9)
    assert not refusals.is_refused("groq", "2026-05-04", 100, 9)


def test_the_schema_that_is_sent_too_is_reserved_for() -> None:
    choices = (Choice(f"category-{n:03}", (f"C{n}",)) for n in range(MOST_IN_ENUM))
    asked = prompts.question(Item("Tea"), Categories(tuple(choices)))
    nothing = msgspec.structs.replace(asked, schema={})
    dollar_a_token = Candidate("groq", Model("groq", "model", 1_000_000, 0), MagicMock())
    more = paying.most_micros(dollar_a_token, asked) - paying.most_micros(dollar_a_token, nothing)
    assert more == len(json.dumps(asked.schema, separators=(",", ":"))) - len("{}") > 3000
