"""A batch under accidents: small seeds of the drill that `make chaos` runs with 10,000 items."""

from collections.abc import Iterator

import pytest

from shared.classification import circuits, keys
from shared.classification.models import KEYED
from shared.classification.portions import MOST_IN_CALL
from shared.clients import firestore
from shared.system import configuration
from shared.system.configuration_records import DEFAULTS
from tests.chaos import drill
from tests.chaos.accidents import BY, Wanted
from tests.integration.edge.instance import instance
from tests.integration.products.support import Shop

ITEMS = 500
SECONDS = 180


@pytest.fixture(scope="module")
def keyed(shop: Shop) -> Iterator[Shop]:
    """Whose settings and keys are as they were, afterwards."""
    yield shop
    with instance(shop.stack.environment()):
        for provider in KEYED:
            firestore.client().collection(keys.COLLECTION).document(provider).delete()
            circuits.forget(provider)
        configuration.change(DEFAULTS, None, BY)


@pytest.mark.parametrize("seed", [1, 2])
def test_every_item_ends_once_whatever_happens(keyed: Shop, seed: int) -> None:
    wanted = Wanted(seed, kills=2, outages=1, parts=ITEMS // MOST_IN_CALL, look_seconds=0.1)
    # A slow one would take as long as a call may: a 504 stands for it.
    told = drill.run(keyed, wanted, items=ITEMS, within_seconds=SECONDS, slow=None)
    assert told.faults["out of time"]
    assert told.repeated_deliveries
    verdicts = {"successful", "review"} if told.with_local else {"successful", "review", "failed"}
    assert set(told.verdicts) == verdicts
