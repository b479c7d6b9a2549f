"""A part of a batch that is still to be classified: its instance has all of the work to do."""

import secrets
from typing import Final

from tests.benchmarks.call import Call
from tests.benchmarks.cloud import Cloud
from tests.benchmarks.requests import post, task
from tests.polling import eventually

PRODUCTS: Final = 10
# `local` learns from the whole catalogue before its first answer, and other work may go on.
_DONE_SECONDS: Final = 120


def part(cloud: Cloud, **named: str) -> Call:
    """A part of a batch whose results are taken away again, with all that was kept of them.

    `named` is the provider that is to be asked first, if any.
    """
    body = {"products": [product() for _ in range(PRODUCTS)], **named}
    batch_id = cloud.send(post(cloud, "/classify-batch", body)).json()["batch_id"]
    batch = cloud.database.document(f"classification_batches/{batch_id}")
    eventually(lambda: batch.get().get("status") == "done", timeout_seconds=_DONE_SECONDS)
    cloud.settle()
    for each in batch.collection("results").stream():
        if review_id := each.get("told.review_id"):
            cloud.database.document(f"classification_reviews/{review_id}").delete()
        each.reference.delete()
    counts = {"done": 0, "successful": 0, "failed": 0, "review": 0, "finished_at": None}
    batch.update({"status": "running", **counts})
    for key in cloud.redis("KEYS", "ai:answer:*"):
        cloud.redis("DEL", key)
    return task(cloud, {"batch_id": batch_id, "part": 0})


def product() -> dict[str, str]:
    """One that nobody knows."""
    # Words that no product of the catalogue has: no neighbour answers.
    return {"name": f"{secrets.token_hex(5)} {secrets.token_hex(5)}"}
