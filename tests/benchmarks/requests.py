"""The requests that functions are measured by, as callers make them."""

import json
import secrets
from collections.abc import Callable
from functools import cache
from typing import Any

from local.accounts import ADMIN, Account
from tests.benchmarks.call import Call
from tests.benchmarks.cloud import Cloud

Maker = Callable[[Cloud], Call]


def get(path: str, query: str = "", *, account: Account = ADMIN, cached: str = "") -> Maker:
    """A read; with `cached`, of a page that another instance has stored a moment ago."""

    def make(cloud: Cloud) -> Call:
        call = Call("GET", path.format(product=product(cloud)), query, cloud.user(account))
        if cached:
            cloud.forget_pages(cached)
            cloud.send(call)
        return call

    return make


def post(cloud: Cloud, path: str, body: Any = None) -> Call:
    """A change by a signed-in admin."""
    headers = cloud.user() | ({} if body is None else {"Content-Type": "application/json"})
    return Call("POST", path, headers=headers, body=b"" if body is None else json_bytes(body))


def task(cloud: Cloud, body: Any) -> Call:
    """A call of Cloud Tasks."""
    return Call("POST", "/", headers=cloud.invoker(), body=json_bytes(body))


def json_bytes(body: Any) -> bytes:
    """The body as JSON."""
    return json.dumps(body).encode()


def rows(count: int = 3) -> list[dict[str, str]]:
    """Rows of an upload that was not made before."""
    word = secrets.token_hex(4)
    return [
        {
            "name": f"Bench {word} Ginger Biscuits {n}00 g",
            "price": f"{n}50.00",
            "retailer": "keells",
            "category": "biscuits",
        }
        for n in range(1, count + 1)
    ]


@cache
def product(cloud: Cloud) -> str:
    """A product that the lists show: its id."""
    return cloud.product_ids()[0]
