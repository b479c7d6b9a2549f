"""What a request costs an instance that has served many."""

import statistics
from collections.abc import Iterator
from typing import Final

from local.plan import ROOT
from tests.benchmarks.call import Call
from tests.benchmarks.calls import CALLS
from tests.benchmarks.cloud import Cloud
from tests.benchmarks.cold import HELLO, absent, run
from tests.benchmarks.figures import Figure

BLOCKS: Final = 10
BLOCK_REQUESTS: Final = 50


def measure(cloud: Cloud) -> Iterator[Figure]:
    """The cached list of 20 products, signed in, over hello and over its floor.

    The floor is hello that makes the same calls of Redis through the same library.
    """
    job = {
        "target": "products",
        "source": str(ROOT / "functions" / "products" / "main.py"),
        "call": CALLS["products"](cloud).packed(),
        "hidden": absent("products"),
        "hello": HELLO | {"call": Call("GET", "/").packed()},
        "blocks": BLOCKS,
        "block_requests": BLOCK_REQUESTS,
    }
    told = run("steady", cloud, job)
    names = ("hello", "floor", "function")
    hello, floor, cached = (statistics.median(told[name]) for name in names)
    note = ", ".join(
        f"{name} {seconds * 1e6:.0f} us"
        for name, seconds in zip(names, (hello, floor, cached), strict=True)
    )
    yield Figure("warm.cached_list", cached / hello, "x hello", "<= 3.5", f"CPU: {note}")
    yield Figure("warm.cached_list_floor", cached / floor, "x floor")
    trips = told["redis_calls"]
    yield Figure("warm.cached_list_redis_round_trips", trips, "calls", "<= 2")
