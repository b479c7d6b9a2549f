"""What the limit of a day allows."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import pytest

from shared.ai_models import Model
from shared.classification import spending
from shared.classification.spending import SHARDS, Spent, Used, has_room

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


def test_calls_of_one_process_take_turns_at_a_shard_and_wait_for_no_dead_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inside = Lock()

    def commit(number: int) -> int:
        with spending._turn(1):
            assert inside.acquire(blocking=False)
            time.sleep(0.001)
            inside.release()
        return number

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(commit, range(40))) == list(range(40))
    monkeypatch.setattr(spending, "TURN_SECONDS", 0.01)
    with spending._turn(2), spending._turn(2):
        # Nobody gives the place back who never had it.
        assert not spending._lanes[2].acquire(blocking=False)
    assert spending._lanes[2].acquire(blocking=False)
    spending._lanes[2].release()
