"""The demo catalogue by `/classify-batch`: its natural duplicates, and what reviewers have filed.

Where nobody has filed anything, the model judges by every character that it is shown. Where
reviewers have, it and they say what the shops say.
"""

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from local.demo.catalogue import DemoProduct, demo_products
from shared.classification import circuits, keys, labels
from shared.classification.labels import Label, Page, label_text
from shared.classification.models import Keyed
from shared.clients import firestore, redis
from shared.clock import utc_now
from tests.chaos.accidents import BY, begun, replace_workers
from tests.integration.classification.models import Thinking, models_at
from tests.integration.edge.instance import instance
from tests.integration.products.support import Json, Shop
from tests.mock_model import MockModel, category_of, shown
from tests.polling import eventually

# Items that differ only in their size stand side by side, so some blocks of them are taken.
BLOCK = 9
MOST_CALLS_PER_PRODUCT = 0.10
FEWEST_CATEGORIES = 15
PROVIDER: Keyed = "groq"

FILED = {shown(each.name, each.brand): each.category for each in demo_products()}
LEAVES = sorted({each.category for each in demo_products()})


def by_hash(text: str) -> str:
    """By every character that is shown, over 16 of the categories: no two texts are alike."""
    return LEAVES[int(category_of(text).removeprefix("c"))]


def as_filed(text: str) -> str:
    """As the shops file it, so that names which are nearly the same agree."""
    return FILED[text]


@pytest.fixture
def model(shop: Shop) -> Iterator[MockModel]:
    """The only provider with a key, of which nothing is known of earlier."""
    thinking = MockModel()
    with models_at(shop.stack):
        Thinking.model = thinking
        with instance(shop.stack.environment()):
            redis.must_call(lambda r: r.delete(*(r.keys("ai:answer:*") or ["none"])))
            keys.store(PROVIDER, "canary-key-0123456789", BY)
        yield thinking
        Thinking.model = None
    with instance(shop.stack.environment()):
        firestore.client().collection(keys.COLLECTION).document(PROVIDER).delete()
        circuits.forget(PROVIDER)
        for page in firestore.client().collection(labels.COLLECTION).list_documents():
            page.delete()


@pytest.mark.parametrize(
    ("category", "every"), [(by_hash, 12), pytest.param(as_filed, 4, marks=pytest.mark.drill)]
)
def test_a_tenth_of_the_calls_gives_the_same_categories(
    shop: Shop, model: MockModel, category: Callable[[str], str], every: int
) -> None:
    model.category = category
    offers = [each for each in demo_products() if each.item // BLOCK % every == 0]
    # Of every other item reviewers have filed one shop's offer, if any.
    is_filed = category is as_filed
    first = {each.item: each for each in offers if is_filed and each.item % 2 == 0}
    with instance(shop.stack.environment()):
        now = utc_now()
        filed = [
            Label(label_text(each.brand, each.name), FILED[_shown(each)], None, now)
            for each in first.values()
        ]
        for page in labels.packed(Page(0, ()), filed):
            labels._reference(page.number).set(labels._fields(page))
    # Each keeps for a while what it has read.
    replace_workers(shop)

    batch_id = begun(shop, [{"name": each.name, "brand": each.brand} for each in offers])
    told = eventually(lambda: _done(shop, batch_id), timeout_seconds=180)
    found = _items(shop, batch_id)

    expected = [category(_shown(each)) for each in offers]
    assert len(set(expected)) >= FEWEST_CATEGORIES
    same = sum(each["category"] == right for each, right in zip(found, expected, strict=True))
    assert same >= 0.99 * len(offers)
    sources = Counter(each["source"] for each in found)
    assert set(sources) - {"neighbour"} == {"provider", "twin"}
    near = {each["confidence"] for each in found if each["source"] == "neighbour"} - {99}
    assert bool(near) == is_filed
    assert (sources["neighbour"] > len(first)) == is_filed
    assert told["calls"] == len(model.asked)
    assert told["calls"] <= MOST_CALLS_PER_PRODUCT * len(offers)


def _shown(offer: DemoProduct) -> str:
    return shown(offer.name, offer.brand)


def _done(shop: Shop, batch_id: str) -> Json | None:
    told = shop.get(f"/classify-batch/{batch_id}")
    return told if told["status"] == "done" else None


def _items(shop: Shop, batch_id: str) -> list[Json]:
    found: list[Json] = []
    cursor: dict[str, str] = {}
    while True:
        page = shop.get(f"/classify-batch/{batch_id}/items", limit=100, **cursor)
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}
