"""The whole way: a crawl is ordered, a pod runs, its products and prices are in the catalogue."""

from typing import Any

import httpx

from local.demo.retailers import introduce
from local.shop.truth import truth
from tests.integration.products.support import Shop, good
from tests.polling import eventually

RETAILER, CATEGORY = "Corner Shop", "biscuits"
ORDER: dict[str, Any] = {"retailer": RETAILER, "category": CATEGORY, "force": True}
ENDED = ("completed", "stopped", "failed")


def test_a_crawl_that_is_ordered_ends_as_products_and_prices_and_one_message(shop: Shop) -> None:
    origin = shop.stack.plan.shop_url
    introduce(shop.stack.plan)
    shop.stack.control.empty_sink()
    with httpx.Client(base_url=origin, trust_env=False) as site:
        asked = len(site.get("/__/log").json())
        job_id = good(shop.http.post("/api/crawler/start", json=ORDER))["job_id"]

        def ended() -> Any:
            told = shop.get(f"/api/crawler/status/{job_id}")
            return told if told["status"] in ENDED else None

        told = eventually(ended, timeout_seconds=120)
        assert told["status"] == "completed", told
        log = site.get("/__/log").json()[asked:]

    assert not [path for path in log if path.startswith(("/private/", "/latest/", "/computeM"))]

    def taken_in() -> Any:
        results = shop.get("/api/crawler/results")["results"]
        return next((r for r in results if shop.stack.control.taken()), None)

    result = eventually(taken_in, timeout_seconds=60)
    told = [result[name] for name in ("job_id", "status", "ingestion", "rows", "new", "failed")]
    assert told == [job_id, "completed", "done", 42, 42, 0]
    pending = shop.get("/api/products/pending", limit=100)["pending"]
    ids = [each["id"] for each in pending]
    good(shop.http.post("/api/products/pending/approve", json={"ids": ids}))
    listed = shop.get("/api/products", retailer="corner-shop", limit=100)["products"]
    found = {p["url"]: (p["name"], p["price"], p["currency"], p["size"]) for p in listed}
    assert found == {
        row["url"]: (row["name"], row["price_minor"] / 100, row["currency"], row["size"] or "")
        for row in truth(origin, CATEGORY)
    }
    (message,) = shop.stack.control.taken()
    assert "42 new, 0 changed, 0 unchanged, 0 quarantined, 0 failed." in message["text"]
    shop.stack.control.empty_sink()
