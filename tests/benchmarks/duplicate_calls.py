"""Representative requests of duplicates: listed, decided, matched anew."""

from datetime import UTC, datetime
from typing import Any, Final

from tests.benchmarks.call import Call
from tests.benchmarks.cloud import Cloud
from tests.benchmarks.requests import Maker, get, post, task

_RUN: Final = "bench"
# So many that one holds about a dozen of the products.
_BLOCKS: Final = 200


def _pair(cloud: Cloud) -> list[str]:
    """Two products that nothing else is measured by."""
    return cloud.product_ids()[-4:-2]


def _decide(cloud: Cloud) -> Call:
    cloud.send(_reopen_at_once(cloud))
    one, other = _pair(cloud)
    return post(cloud, "/api/products/duplicates/decide", {"same": [one], "different": [other]})


def _reopen(cloud: Cloud) -> Call:
    cloud.send(_decide(cloud))
    return _reopen_at_once(cloud)


def _reopen_at_once(cloud: Cloud) -> Call:
    return post(cloud, "/api/products/duplicates/reopen", {"pairs": [_pair(cloud)]})


def _begun(cloud: Cloud) -> str:
    """A full re-match of which nothing is done yet: its id."""
    now = datetime.now(UTC)
    run: dict[str, Any] = {"state": "running", "model": "default", "finished_at": None}
    counts = {"blocks_total": _BLOCKS, "products_done": 0, "pairs_found": 0}
    progress: dict[str, Any] = {"started_at": now, "cursors": {}, "done": []}
    cloud.database.document(f"rematches/{_RUN}").set(run | counts | progress)
    lock = {"kind": "rematch", "id": _RUN, "version": -1, "at": now}
    cloud.database.document("outbox/rematch-running").set(lock)
    return _RUN


def _rematch(cloud: Cloud) -> Call:
    """The one under way: another would match the whole catalogue beside what is measured."""
    _begun(cloud)
    return post(cloud, "/api/products/rematch", {})


CALLS: Final[dict[str, Maker]] = {
    "decide_duplicates": _decide,
    "products_duplicates": get("/api/products/duplicates", "limit=5"),
    "products_rematch": _rematch,
    "rematch": lambda cloud: get(f"/api/products/rematches/{_begun(cloud)}")(cloud),
    "rematch_products": lambda cloud: task(cloud, {"rematch_id": _begun(cloud), "block": 0}),
    "reopen_duplicates": _reopen,
}
