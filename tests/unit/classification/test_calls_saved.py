"""The demo catalogue with its natural duplicates: few calls, and the answers of many.

The model judges by every character that it is shown, so two products that are taken for one have to
be shown alike.
"""

import time

import pytest

from local.demo.catalogue import demo_products
from shared.ai_models import Model
from shared.classification import answer_cache, batch_records, circuits, deciding, known_neighbours
from shared.classification.deciding import Setting
from shared.classification.failover import Candidate
from shared.classification.known_neighbours import KnownNeighbours
from shared.classification.models import Categories, Item
from shared.clients import redis
from tests.mock_model import CATEGORIES, MockModel, category_of, shown

MODEL = Model("groq", "model", 1_000_000, 2_000_000)
MOST_CALLS_PER_PRODUCT = 0.10
FEWEST_CATEGORIES = 15


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that lives as long as a test; nothing is known of any circuit or neighbour."""
    kept: dict[str, str] = {}
    monkeypatch.setattr(redis, "client", lambda: None)
    monkeypatch.setattr(circuits, "_own", {})
    monkeypatch.setattr(redis, "set_all", lambda new, _ttl: kept.update(new))
    monkeypatch.setattr(answer_cache, "_in_one_trip", lambda keys: [kept.get(k) for k in keys])
    monkeypatch.setattr(known_neighbours, "read", _nobody)


def _nobody(categories: Categories) -> KnownNeighbours:
    return KnownNeighbours(categories, [], [])


def decide(items: list[Item], model: MockModel, **how: object) -> list[str | None]:
    setting = Setting(CATEGORIES, [Candidate("groq", MODEL, model)], 70, 20.0, **how)  # type: ignore[arg-type]
    found = deciding.decide_with(setting, items, time.monotonic() + 900)
    return [each.category for each in found]


def test_a_tenth_of_the_calls_gives_the_same_categories() -> None:
    products = list(demo_products())
    items = [Item(each.name, brand=each.brand) for each in products]
    model, alone = MockModel(), MockModel()

    found: dict[int, str | None] = {}
    for part in batch_records.parts(items):
        categories = decide([each.item for each in part], model)
        found |= zip((each.index for each in part), categories, strict=True)
    expected = decide(items, alone, cascade=False, most_in_call=1)

    assert len(alone.asked) == len(items)
    assert expected == [category_of(shown(each.name, each.brand)) for each in products]
    assert len(set(expected)) >= FEWEST_CATEGORIES
    same = sum(found[index] == category for index, category in enumerate(expected))
    assert same >= 0.99 * len(items)
    assert len(model.asked) <= MOST_CALLS_PER_PRODUCT * len(items)
