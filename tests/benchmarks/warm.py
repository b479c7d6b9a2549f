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
    """The cached list of 20 products, signed in, over hello."""
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
    hello, cached = (statistics.median(told[name]) for name in ("hello", "function"))
    note = f"hello {hello * 1e6:.0f} us, list {cached * 1e6:.0f} us of CPU"
    yield Figure("warm.cached_list", cached / hello, "x hello", "<= 3.5", note)
    trips = told["redis_calls"]
    yield Figure("warm.cached_list_redis_round_trips", trips, "calls", "<= 2")
