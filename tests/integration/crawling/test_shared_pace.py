"""Two pods at one host, as the host sees them: processes of their own, heard by the product."""

from itertools import pairwise
from typing import Any, Final

import httpx

from local.shop.assortment import DEPARTMENTS, EACH
from local.shop.truth import recipe
from local.stack import Stack
from tests.integration.crawling.cloud import as_admin, reached, start
from tests.polling import eventually

DELAY_SECONDS: Final = 0.25
# A pod may know for so long what it was told, and has one turn taken by then.
SETTLED_SECONDS: Final = 1.5 + DELAY_SECONDS
TURNS: Final = 20
CRAWLS: Final = {"First Of Two": "tea", "Second Of Two": "chocolate"}


def asked(site: httpx.Client, category: str, since: int) -> list[float]:
    """When products of the category were asked for, by the shop's clock."""
    begins = list(DEPARTMENTS).index(category) * EACH
    numbers = {str(number) for number in range(begins + 1, begins + EACH + 1)}
    timed: list[tuple[float, str]] = site.get("/__/timed").json()[since:]
    return [
        at
        for at, path in timed
        if path.startswith(f"/c/{category}")
        or path.removeprefix("/p/").partition("-")[0] in numbers
    ]


def turns(site: httpx.Client, since: int) -> dict[str, list[float]] | None:
    """The turns of each, once both know of each other and many were taken since."""
    found = {category: asked(site, category, since) for category in CRAWLS.values()}
    if not all(found.values()):
        return None
    settled = max(each[0] for each in found.values()) + SETTLED_SECONDS
    later = {name: [at for at in each if at > settled] for name, each in found.items()}
    return later if sum(map(len, later.values())) >= TURNS else None


def test_a_host_is_asked_by_two_pods_no_more_often_than_by_one(stack: Stack) -> None:
    origin = stack.plan.shop_url
    with as_admin(stack) as http, httpx.Client(base_url=origin, trust_env=False) as site:
        since = len(site.get("/__/timed").json())
        for retailer in CRAWLS:
            limits = {"delay_seconds": DELAY_SECONDS, "at_once": 1}
            put: dict[str, Any] = recipe(origin, **limits)
            del put["retailer"], put["version"]
            http.put(f"/api/crawler/retailers/{retailer}", json=put).raise_for_status()
        jobs = [start(http, retailer, category) for retailer, category in CRAWLS.items()]
        taken = eventually(lambda: turns(site, since), timeout_seconds=60)
        for job_id in jobs:
            http.post(f"/api/crawler/stop/{job_id}").raise_for_status()
        for job_id in jobs:
            reached(http, job_id, "stopped", "completed")

    # Each asks, and neither in the other's turn; what a busy machine delays comes later only.
    assert all(len(each) >= TURNS // 4 for each in taken.values())
    both = sorted(at for each in taken.values() for at in each)
    assert both[-1] - both[0] >= 0.75 * (len(both) - 1) * DELAY_SECONDS
    gaps = [later - at for at, later in pairwise(both)]
    assert sorted(gaps)[len(gaps) // 2] >= 0.8 * DELAY_SECONDS
