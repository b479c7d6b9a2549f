"""Whoever waits for background work hears that it failed, and it can be sent again."""

from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from tests.integration.products.support import QUEUE, WORK_SECONDS, Json, Shop, good, row
from tests.polling import eventually

# Gives the queues pauses of a hundredth of a second, or their own again.
PAUSES = """
import sys
import msgspec
from scheduler import cloud_queues
from scheduler.queues import QUEUES
hasty = {"min_backoff_seconds": 0.01, "max_backoff_seconds": 0.01} if sys.argv[1] == "hasty" else {}
for queue in QUEUES:
    if queue.name in ("uploads", "exports"):
        cloud_queues.update_queue(msgspec.structs.replace(queue, **hasty))
"""


@pytest.fixture(scope="module")
def hasty_queues(shop: Shop) -> Iterator[None]:
    shop.run(PAUSES, "hasty")
    yield
    shop.run(PAUSES, "own")


@pytest.fixture
def hasty(shop: Shop, hasty_queues: None) -> Shop:
    """An empty catalogue whose failed tasks come again at once."""
    assert hasty_queues is None
    shop.clear()
    return shop


def failed(shop: Shop, path: str) -> Json:
    """What is told of the work once it has failed."""

    def told() -> Json | None:
        found = shop.get(path)
        return found if found["status"] == "failed" else None

    return eventually(told, timeout_seconds=WORK_SECONDS)


def letter(shop: Shop, function: str) -> Json:
    """The only dead letter, which comes after the work was called failed."""
    (found,) = eventually(lambda: list(shop.documents("dead_letters").values()))
    assert found["function"] == function
    return found


def redrive(shop: Shop, found: Json) -> None:
    assert shop.call_private(found["function"], msgspec.json.decode(found["body"])).is_success


def break_product(shop: Shop) -> Any:
    """A document among the products that no export can read."""
    broken = shop.database.collection("products").document("broken")
    product = next(iter(shop.documents("products").values()))
    del product["name"]
    # The matching of a product without a name would come again all the while.
    shop.stack.control.disturb_events(drop=True)
    broken.set(product)
    return broken


def test_an_export_that_fails_to_the_last_attempt_is_called_failed(hasty: Shop) -> None:
    hasty.upload([row(1)])
    broken = break_product(hasty)
    export_id = good(hasty.http.post("/api/products/export", json={}))["export_id"]
    path = f"/api/products/exports/{export_id}"
    told = failed(hasty, path)
    assert told["error"] == "The export could not be written; begin another one."
    found = letter(hasty, "export_products")
    assert (found["queue"], found["detail"]) == ("exports", "")
    broken.delete()
    redrive(hasty, found)
    told = hasty.get(path)
    assert (told["status"], told["rows"]) == ("completed", 1)
    assert "error" not in told


def test_an_export_that_may_yet_succeed_is_not_called_failed(hasty: Shop) -> None:
    export_id = "early"
    fields: Json = {"status": "queued", "filter": {}, "rows": 0}
    hasty.upload([row(1)])
    break_product(hasty)
    hasty.database.collection("exports").document(export_id).set(fields)
    assert hasty.call_private("export_products", {"export_id": export_id}).status_code == 500
    assert hasty.get(f"/api/products/exports/{export_id}")["status"] == "running"
    assert hasty.documents("dead_letters") == {}


def large(shop: Shop) -> str:
    body: Json = {"products": [row(number) for number in range(1001)]}
    answer = shop.http.post("/api/products/preview", json=body)
    assert answer.status_code == 202
    return str(answer.json()["upload_id"])


def lost_chunk(shop: Shop, upload_id: str) -> tuple[Any, Json]:
    """Deletes a chunk of the upload; the reference and what it held."""
    reference = shop.database.collection("upload_chunks").document(f"{upload_id}-3")
    held = reference.get().to_dict()
    reference.delete()
    assert held
    return reference, held


def test_a_preview_that_fails_to_the_last_attempt_is_called_failed(hasty: Shop) -> None:
    hasty.run(QUEUE, "pause", "uploads")
    upload_id = large(hasty)
    reference, held = lost_chunk(hasty, upload_id)
    hasty.run(QUEUE, "resume", "uploads")
    told = failed(hasty, f"/api/products/uploads/{upload_id}")
    assert told["error"] == "The preview failed; upload the file again."
    found = letter(hasty, "preview_upload")
    assert (
        hasty.http.post("/api/products/confirm", json={"upload_id": upload_id}).status_code == 409
    )
    reference.set(held)
    redrive(hasty, found)
    assert hasty.followed(upload_id, "previewed")["preview"]["new"] == 1001


def test_a_confirm_that_fails_to_the_last_attempt_is_called_failed_and_goes_on(
    hasty: Shop,
) -> None:
    upload_id = large(hasty)
    hasty.followed(upload_id, "previewed")
    reference, held = lost_chunk(hasty, upload_id)
    body = {"upload_id": upload_id, "accept": "all"}
    assert hasty.http.post("/api/products/confirm", json=body).status_code == 202
    told = failed(hasty, f"/api/products/uploads/{upload_id}")
    assert told["error"] == "The confirm stopped before its end; confirm again to go on."
    letter(hasty, "confirm_upload")
    reference.set(held)
    other = body | {"accept": "new"}
    assert hasty.http.post("/api/products/confirm", json=other).status_code == 409
    assert hasty.http.post("/api/products/confirm", json=body).status_code == 202
    told = hasty.followed(upload_id, "confirmed")
    assert told["result"]["inserted"] == 1001
    assert "error" not in told


def test_a_task_whose_work_is_gone_is_a_dead_letter_at_once(hasty: Shop) -> None:
    assert hasty.call_private("export_products", {"export_id": "gone"}).is_success
    found = letter(hasty, "export_products")
    assert (found["error"], found["body"]) == ("NotFound", '{"export_id":"gone"}')


@pytest.mark.parametrize(
    ("body", "error"), [(b'{"export_id": 7}', "Invalid"), (b"{", "BadRequest")], ids=str
)
def test_a_task_that_cannot_be_read_is_a_dead_letter_at_once(
    hasty: Shop, body: bytes, error: str
) -> None:
    token = hasty.stack.control.invoker_token()
    answer = httpx.post(
        f"{hasty.stack.plan.functions_url}/export_products",
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        content=body,
        trust_env=False,
    )
    assert answer.status_code == 204
    found = letter(hasty, "export_products")
    assert (found["error"], found["body"], found["queue"]) == (error, body.decode(), "exports")
