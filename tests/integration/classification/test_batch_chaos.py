"""A batch under accidents: small seeds of the drill that `make chaos` runs with 10,000 items."""

from collections.abc import Iterator

import pytest

from shared.classification import circuits, keys
from shared.clients import firestore
from shared.system import configuration
from shared.system.configuration_records import DEFAULTS
from tests.chaos import drill
from tests.integration.edge.instance import instance
from tests.integration.products.support import Shop

SECONDS = 180


@pytest.fixture(scope="module")
def keyed(shop: Shop) -> Iterator[Shop]:
    """Every provider with a key."""
    drill.prepare(shop)
    yield shop
    with instance(shop.stack.environment()):
        for provider in drill.PROVIDERS:
            firestore.client().collection(keys.COLLECTION).document(provider).delete()
            circuits.forget(provider)
        configuration.change(DEFAULTS, None, drill.BY)


@pytest.mark.parametrize("seed", [1, 2])
def test_every_item_ends_once_whatever_happens(keyed: Shop, seed: int) -> None:
    told = drill.run(keyed, seed=seed, items=500, kills=1, gap_seconds=0.5, within_seconds=SECONDS)
    assert told.faults
    assert told.repeated_deliveries
    assert all(told.verdicts.get(verdict) for verdict in ("successful", "review"))
