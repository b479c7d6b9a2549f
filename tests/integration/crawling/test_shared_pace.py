"""Two pods at one host, as the host sees them: processes of their own, heard by the product."""

from itertools import pairwise
from typing import Any, Final

import httpx
import pytest

from local.shop.assortment import DEPARTMENTS, EACH
from local.shop.truth import recipe
from local.stack import Stack
from tests.integration.crawling.cloud import as_admin, reached, start
from tests.polling import eventually

DELAY_SECONDS: Final = 0.25
# A pod may know for so long what it was told, and has one turn taken by then.
SETTLED_SECONDS: Final = 1.5 + DELAY_SECONDS
TURNS: Final = 20
# So many pages that neither is done before the other has begun.
CRAWLS: Final = {
    "First Of Two": ("biscuits", "chips-and-savouries", "chocolate", "tea"),
    "Second Of Two": ("soft-drinks", "cooking-oil", "juices-and-cordials"),
}


def numbers(departments: tuple[str, ...]) -> set[str]:
    """Of the products that the shop sells there."""
    begins = [list(DEPARTMENTS).index(each) * EACH for each in departments]
    return {str(begin + number) for begin in begins for number in range(1, EACH + 1)}


def asked(timed: list[tuple[float, str]], departments: tuple[str, ...]) -> list[float]:
    """When pages of these departments were asked for, by the shop's clock."""
    products = numbers(departments)
    lists = tuple(f"/c/{each}" for each in departments)
    return [
        at
        for at, path in timed
        if path.startswith(lists) or path.removeprefix("/p/").partition("-")[0] in products
    ]


def turns(site: httpx.Client, since: int) -> list[list[float]] | None:
    """The turns of each, from when both know of each other and until each had some."""
    timed: list[tuple[float, str]] = site.get("/__/timed").json()[since:]
    found = [asked(timed, departments) for departments in CRAWLS.values()]
    if not all(found):
        return None
    settled = max(each[0] for each in found) + SETTLED_SECONDS
    later = [[at for at in each if at > settled] for each in found]
    return later if min(map(len, later)) >= TURNS // 2 else None


@pytest.mark.drill
def test_a_host_is_asked_by_two_pods_no_more_often_than_by_one(stack: Stack) -> None:
    origin = stack.plan.shop_url
    stack.control.empty_sink()
    with as_admin(stack) as http, httpx.Client(base_url=origin, trust_env=False) as site:
        since = len(site.get("/__/timed").json())
        for retailer, departments in CRAWLS.items():
            put: dict[str, Any] = recipe(origin, delay_seconds=DELAY_SECONDS, at_once=1)
            del put["retailer"], put["version"]
            put["start_urls"] = {"tea": [f"{origin}/c/{each}" for each in departments]}
            http.put(f"/api/crawler/retailers/{retailer}", json=put).raise_for_status()
        jobs = [start(http, retailer, "tea") for retailer in CRAWLS]
        taken = eventually(lambda: turns(site, since), timeout_seconds=60)
        for job_id in jobs:
            http.post(f"/api/crawler/stop/{job_id}").raise_for_status()
        for job_id in jobs:
            reached(http, job_id, "stopped", "completed")
        # Nothing of these crawls is told in the midst of another test.
        eventually(lambda: len(stack.control.taken()) >= len(jobs))
        stack.control.empty_sink()

    # Neither asks in the other's turn; what a busy machine delays only comes later.
    both = sorted(at for each in taken for at in each)
    assert both[-1] - both[0] >= 0.75 * (len(both) - 1) * DELAY_SECONDS
    gaps = sorted(later - at for at, later in pairwise(both))
    assert gaps[len(gaps) // 2] >= 0.8 * DELAY_SECONDS
