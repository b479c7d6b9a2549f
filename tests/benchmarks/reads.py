"""How many Firestore reads a request is billed, in a small catalogue and in a large one.

And the task that follows a product's write, search included.
"""

import json
from collections.abc import Callable, Iterator
from typing import Final

import httpx

from local.demo import seed
from local.meter import READS
from tests.benchmarks.call import Call
from tests.benchmarks.cloud import Cloud
from tests.benchmarks.figures import Figure
from tests.benchmarks.filling import goods

SIZES: Final = {"2k": 2_000, "20k": 20_000}
PAGE_ROWS: Final = 20
UPLOAD_ROWS: Final = 100
MATCHED: Final = 25
ATTEMPTS: Final = 3
_KEPT: Final = ("brand", "size", "category", "price")


def measure(cloud: Cloud) -> Iterator[Figure]:
    """The same requests at each size, which the catalogue is brought to."""
    for label, size in SIZES.items():
        cloud.fill(size)
        for name, (count, aim) in _REQUESTS.items():
            value = count(cloud)
            note = "" if value is not None else f"no {READS} header"
            yield Figure(f"reads.{name}.{label}", value, "reads", aim, note)


def _count(cloud: Cloud, call: Call) -> float | None:
    # The answers must come from Firestore, and nobody else's request may have stored them.
    cloud.forget_pages("products")
    counted = cloud.send(call).headers.get(READS)
    return None if counted is None else float(counted)


def _stats(cloud: Cloud) -> float | None:
    return _count(cloud, Call("GET", "/api/products/stats", headers=cloud.user()))


def _by_cursor(cloud: Cloud) -> float | None:
    first = cloud.send(Call("GET", "/api/products", f"limit={PAGE_ROWS}", cloud.user())).json()
    query = f"limit={PAGE_ROWS}&cursor={first['next_cursor']}"
    return _count(cloud, Call("GET", "/api/products", query, cloud.user()))


def _by_number(cloud: Cloud) -> float | None:
    pages = cloud.size // PAGE_ROWS
    # One depth might happen to lie on a mark.
    counts = [_page(cloud, pages * share // 10) for share in (5, 7, 9)]
    known = [count for count in counts if count is not None]
    return max(known, default=None)


def _page(cloud: Cloud, page: int) -> float | None:
    query = f"limit={PAGE_ROWS}&page={page}"
    return _count(cloud, Call("GET", "/api/products", query, cloud.user()))


def _preview(cloud: Cloud) -> float | None:
    # From all over the catalogue, so that few rows share a posting list.
    known = goods(cloud.size)[:: cloud.size * 2 // UPLOAD_ROWS]
    rows = [
        {"name": item.name, "price": "250.00", "retailer": item.retailer, "size": item.size}
        | ({} if n % 2 else {"retailer_sku": item.sku})
        for n, item in enumerate(known)
    ]
    rows += [
        row | {"name": f"Unheard {row['name']}", "retailer_sku": f"X{n}"}
        for n, row in enumerate(rows)
    ]
    headers = cloud.user() | {"Content-Type": "application/json"}
    body = json.dumps({"products": rows}).encode()
    reads = _count(cloud, Call("POST", "/api/products/preview", headers=headers, body=body))
    return None if reads is None else reads / len(rows)


def _match(cloud: Cloud) -> float | None:
    """The most of some products from all over, each of which has got another word in its name."""
    counts = []
    for item in goods(cloud.size)[:: cloud.size // MATCHED]:
        path = f"/api/products/{seed._product(item).id}"
        known = cloud.send(Call("GET", path, headers=cloud.user())).json()
        fields = {name: known[name] for name in _KEPT} | {"name": f"{known['name']} Classic"}
        headers = cloud.user() | {"Content-Type": "application/json"}
        cloud.send(Call("PUT", path, headers=headers, body=json.dumps(fields).encode()))
        counts.append(_task(cloud, known["id"]))
    return max(counts)


def _task(cloud: Cloud, product_id: str) -> float:
    """What the product's task reads until it is done: one that runs out of reads comes again."""
    reads = 0.0
    for _ in range(ATTEMPTS):
        try:
            answer = cloud.run_private("match_product", {"product_id": product_id})
            return reads + float(answer.headers[READS])
        except httpx.HTTPStatusError as error:
            reads += float(error.response.headers[READS])
    raise RuntimeError(f"{product_id} could not be matched")


_REQUESTS: Final[dict[str, tuple[Callable[[Cloud], float | None], str]]] = {
    "stats_miss": (_stats, "<= 2"),
    "page_by_cursor": (_by_cursor, "<= 21"),
    "page_by_number": (_by_number, "<= 145"),
    "preview_per_row": (_preview, "<= 5"),
    "match_product": (_match, "<= 60"),
}
