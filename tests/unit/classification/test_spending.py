"""What the limit of a day allows."""

import pytest

from shared.ai_models import Model
from shared.classification import spending
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
