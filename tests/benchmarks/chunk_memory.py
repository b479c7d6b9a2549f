"""How large an instance of `classify_chunk` grows, which all providers fail and `local` answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from local.plan import ROOT
from scheduler import cloud_queues
from shared.classification import batches, circuits, keys, labels
from shared.classification.labels import Label, Page
from shared.classification.models import KEYED
from shared.classification.portions import MOST_IN_CALL
from shared.clients import firestore
from shared.clock import utc_now
from shared.products.default_categories import DEFAULT_CATEGORIES
from tests.benchmarks import cold
from tests.benchmarks.call import Call
from tests.benchmarks.cloud import Cloud
from tests.benchmarks.figures import Figure
from tests.benchmarks.requests import post, task
from tests.chaos.accidents import BY
from tests.integration.edge.instance import instance
from tests.integration.products.support import word

CONCURRENCY: Final = 8
LABELS: Final = 2000


def measure(cloud: Cloud) -> Iterator[Figure]:
    """The most memory of one that works on eight parts at once.

    Nobody listens, so every provider is tried, by its SDK, and then `local` answers.
    """
    with _prepared(cloud):
        batch_id = _batch(cloud)
        calls = [task(cloud, {"batch_id": batch_id, "part": n}) for n in range(CONCURRENCY)]
        job = {
            "target": batches.FUNCTION,
            "source": str(ROOT / "functions" / "ai" / "main.py"),
            "calls": [each.packed() for each in calls],
            "hidden": cold.absent("ai"),
        }
        told = cold.run("chunk_child", cloud, job)
        items = f"/classify-batch/{batch_id}/items"
        found = cloud.send(Call("GET", items, "limit=100", cloud.user())).json()["items"]
    providers = {each["provider"] for each in found}
    if providers != {"local"}:
        raise RuntimeError(f"Not all was left to local: {providers}")
    note = f"{CONCURRENCY} parts at once, 4 SDKs, local with {LABELS} labels"
    yield Figure("classification.chunk_memory", told["peak_mb"], "MB", "<= 1024", note)


@contextmanager
def _prepared(cloud: Cloud) -> Iterator[None]:
    """Keys for all, as many labels as `local` takes, and a queue that stands still."""
    with instance(cloud.environment()):
        for provider in KEYED:
            keys.store(provider, "canary-key-0123456789", BY)
        cloud_queues.pause_queue(batches.QUEUE)
        pages = labels.packed(Page(0, ()), _labels())
        for page in pages:
            labels._reference(page.number).set(labels._fields(page))
    try:
        yield
    finally:
        with instance(cloud.environment()):
            cloud_queues.resume_queue(batches.QUEUE)
            for page in pages:
                labels._reference(page.number).delete()
            for provider in KEYED:
                firestore.client().collection(keys.COLLECTION).document(provider).delete()
                circuits.forget(provider)


def _labels() -> list[Label]:
    now, choices = utc_now(), [each.id for each in DEFAULT_CATEGORIES]
    return [
        Label(f"{word(n)} {word(n + 10_000)}", choices[n % len(choices)], None, now)
        for n in range(LABELS)
    ]


def _batch(cloud: Cloud) -> str:
    count = CONCURRENCY * MOST_IN_CALL
    products = [{"name": f"{word(n + 50_000)} {word(n + 90_000)}"} for n in range(count)]
    begun = cloud.send(post(cloud, "/classify-batch", {"products": products}))
    return str(begun.json()["batch_id"])
