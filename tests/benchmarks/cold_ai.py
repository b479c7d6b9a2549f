"""What the first product costs a new instance that asks a paid provider, until it is classified.

Once for each SDK, against llmock; and once for a part of a batch of which nothing is settled yet.
Each is measured as `cold` measures all functions.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

from local.accounts import SUPER_ADMIN
from tests.benchmarks import cold
from tests.benchmarks.batch_calls import PRODUCTS, part, product
from tests.benchmarks.call import Call
from tests.benchmarks.cloud import Cloud
from tests.benchmarks.figures import Figure
from tests.benchmarks.requests import post
from tests.integration.classification.models import Thinking, models_on
from tests.mock_model import MockModel
from tools.declarations import Declared, declared

KEY: Final = "canary-key-0123456789"
# By the provider that asks by it.
SDKS: Final = {"groq": "groq", "gemini": "google_genai", "cerebras": "openai"}


def measure(cloud: Cloud) -> Iterator[Figure]:
    """The starts, one after the other; nobody has a key afterwards."""
    known = {each.function.name: each for each in declared()}
    port = urlsplit(cloud.environment()["GROQ_BASE_URL"]).port or 0
    Thinking.model = MockModel(category=lambda _: "tea")
    try:
        with models_on(port):
            for provider, sdk in SDKS.items():
                with _key(cloud, provider):
                    yield from _figures(cloud, f"classify_{sdk}", known["classify"])
            with _key(cloud, "groq"):
                yield from _figures(cloud, "classify_chunk_groq", known["classify_chunk"])
                _check_settled(cloud)
    finally:
        Thinking.model = None


def _figures(cloud: Cloud, name: str, function: Declared) -> Iterator[Figure]:
    make = _stream if function.function.name == "classify" else part
    ratio, floor, libraries = cold.start(cloud, function, make)
    yield Figure(f"cold.{name}", ratio, "x hello")
    yield Figure(f"cold_floor.{name}", floor, "x floor", "<= 1.25", note=libraries)
    sdks = cold.run("instance", cloud, cold.job(cloud, function, make))["sdks"]
    yield Figure(f"cold_sdks.{name}", float(len(sdks)), "SDKs", "1", note=" ".join(sdks))


@contextmanager
def _key(cloud: Cloud, provider: str) -> Iterator[None]:
    """A key for the one provider, as long as it is measured."""
    headers = {**cloud.user(SUPER_ADMIN), "Content-Type": "application/json"}
    body = json.dumps({"provider": provider, "key": KEY}).encode()
    cloud.send(Call("POST", "/keys/set", headers=headers, body=body))
    try:
        yield
    finally:
        cloud.database.document(f"provider_keys/{provider}").delete()


def _stream(cloud: Cloud) -> Call:
    """A product that nobody knows and nobody has answered, to its last event."""
    call = post(cloud, "/classify", {"products": [product()]})
    return Call(call.method, call.path, headers=call.headers, body=call.body, until="event: result")


def _check_settled(cloud: Cloud) -> None:
    """Raises RuntimeError where the part that was measured last has settled nothing."""
    batches = cloud.database.collection("classification_batches")
    (last,) = batches.order_by("created_at", direction="DESCENDING").limit(1).stream()
    if len(list(last.reference.collection("results").stream())) != PRODUCTS:
        raise RuntimeError("The part that was measured last is not settled.")
