"""Where no provider answers, a person is asked, and told why: of a stream and of a batch."""

from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
from llmock.scenarios import Fail, Match, StreamFault
from llmock.state import LLMockState

from shared.classification import circuits, keys
from shared.system.configuration_records import DEFAULTS
from tests.integration.classification.models import answer, models_at, reply
from tests.integration.edge.instance import instance
from tests.integration.products.support import Json, Shop, good, row
from tests.polling import eventually
from tests.sessions import SUPER_ADMIN, log_in, new_client

PROVIDERS = ("groq", "gemini")
WHY = "No provider gave an answer. groq: overloaded; gemini: network"


@pytest.fixture(scope="module")
def models(shop: Shop) -> Iterator[LLMockState]:
    """Two providers with keys, the only ones that are asked: not even `local` stands behind."""
    with models_at(shop.stack) as state:
        with new_client(shop.stack, log_in(shop.stack, SUPER_ADMIN)) as http:
            _set_up(http)
        yield state
    shop.database.document("configuration/settings").delete()
    with instance(shop.stack.environment()):
        for provider in PROVIDERS:
            shop.database.document(f"{keys.COLLECTION}/{provider}").delete()
            circuits.forget(provider)


def _set_up(http: httpx.Client) -> None:
    for provider in PROVIDERS:
        good(http.post("/keys/set", json={"provider": provider, "key": "canary-key-0123456789"}))
    wanted = msgspec.to_builtins(DEFAULTS) | {"provider_order": list(PROVIDERS)}
    good(http.put("/system/config", json=wanted, headers={"If-Match": '"0"'}))


def entries(shop: Shop, name: str) -> list[Json]:
    listed = shop.get("/classify/reviews", limit=100)["reviews"]
    return [each for each in listed if each["product"]["name"] == name]


def events(text: str, name: str) -> list[Any]:
    blocks = [block.split("\n") for block in text.split("\n\n")]
    return [
        msgspec.json.decode(lines[1].removeprefix("data: "))
        for lines in blocks
        if lines[0] == f"event: {name}"
    ]


def test_what_all_fail_at_waits_for_a_person_with_the_reason(
    shop: Shop, models: LLMockState
) -> None:
    shop.upload([row(1)])
    (product,) = shop.get("/api/products")["products"]
    asked = {"id": product["id"], "name": product["name"]}
    # One that the catalogue has no more, and one that it never had.
    shop.upload([row(2)])
    removed = next(p for p in shop.get("/api/products")["products"] if p["id"] != product["id"])
    good(shop.http.delete(f"/api/products/{removed['id']}"))
    gone = {"id": removed["id"], "name": removed["name"]}
    elsewhere = {"name": "Tea of elsewhere"}
    models.scenarios.add(Fail(500, times=None, match=Match(provider="groq")))
    models.scenarios.add(reply(answer("tea"), "gemini"))
    models.scenarios.add(StreamFault("disconnect", after_chunks=2, times=None))

    for one in (asked, gone, elsewhere):
        _open_again(shop)
        streamed = shop.http.post("/classify", json={"products": [one]})

        assert events(streamed.text, "restart") == [
            {"index": 0, "provider": "gemini", "reason": "overloaded"}
        ]
        assert events(streamed.text, "error") == [{"index": 0, "message": WHY}]
        assert events(streamed.text, "complete") == [{"total": 1, "successful": 0, "failed": 1}]
        (entry,) = entries(shop, one["name"])
        assert (entry["reason"], entry["failure"], entry["category"]) == ("failed", WHY, None)
    # There is nothing to be filed, which a person can say.
    path = f"/classify/reviews/{entries(shop, gone['name'])[0]['id']}"
    assert shop.http.post(path, json={"decision": "correct", "category": "tea"}).status_code == 409
    assert good(shop.http.post(path, json={"decision": "reject"}))["status"] == "rejected"

    _open_again(shop)
    batch = shop.http.post("/classify-batch", json={"products": [asked], "provider": "groq"})
    batch_id = batch.json()["batch_id"]
    told = eventually(
        lambda: (t := shop.get(f"/classify-batch/{batch_id}"))["status"] == "done" and t
    )
    assert (told["done"], told["failed"], told["successful"], told["review"]) == (1, 1, 0, 0)
    (item,) = shop.get(f"/classify-batch/{batch_id}/items")["items"]
    assert (item["verdict"], item["review_id"]) == ("failed", f"{batch_id}-0")
    found = {each["id"]: each["failure"] for each in entries(shop, product["name"])}
    assert found[f"{batch_id}-0"] == WHY
    # Two of each stream, and two of the batch: nobody was asked twice for one product.
    assert len(models.journal.records(wait=2)) == 8


def _open_again(shop: Shop) -> None:
    """Three failures in a row would open a circuit."""
    with instance(shop.stack.environment()):
        for provider in PROVIDERS:
            circuits.forget(provider)
