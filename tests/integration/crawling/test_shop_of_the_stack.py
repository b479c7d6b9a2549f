"""The shop that comes with the local cloud."""

import httpx

from local.shop.truth import truth
from local.stack import Stack


def test_the_local_cloud_has_a_shop_to_crawl_with_its_truth(stack: Stack) -> None:
    origin = stack.plan.shop_url
    with httpx.Client(base_url=origin, trust_env=False) as shop:
        assert "Disallow: /private/" in shop.get("/robots.txt").text
        assert shop.get("/__/truth/tea").json() == truth(origin, "tea")
        assert "/robots.txt" in shop.get("/__/log").json()
