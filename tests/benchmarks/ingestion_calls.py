"""Representative requests of crawls' results and quarantined prices."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tests.benchmarks.call import Call
from tests.benchmarks.cloud import Cloud
from tests.benchmarks.requests import Maker, get, post, task

_CRAWL: Final = {"retailer": "keells", "category": "tea"}


def ended_job(cloud: Cloud) -> str:
    """A crawl that failed without a result: its id."""
    now, job_id = datetime.now(UTC), secrets.token_hex(10)
    fields = {"requested_by": "bench", "status": "failed", "created_at": now, "finished_at": now}
    cloud.database.document(f"crawl_jobs/{job_id}").set(_CRAWL | fields)
    return job_id


def _result(cloud: Cloud) -> str:
    now, job_id = datetime.now(UTC), secrets.token_hex(10)
    moments = {"seen_at": now, "finished_at": now, "listed_at": now}
    fields = {"job_status": "completed", "status": "done", "told": "sent"}
    cloud.database.document(f"crawl_ingestions/{job_id}").set(_CRAWL | moments | fields)
    return job_id


def _remove(cloud: Cloud) -> Call:
    return Call("DELETE", f"/api/crawler/results/{_result(cloud)}", headers=cloud.user())


def _held(cloud: Cloud) -> str:
    now, entry_id = datetime.now(UTC), f"{secrets.token_hex(10)}-1"
    texts = dict.fromkeys(("brand", "size"), "")
    absent = dict.fromkeys(("retailer_sku", "url", "image", "description"))
    offer: dict[str, Any] = {"row": 1, "name": "Benched", "price_minor": 10_000, "currency": "LKR"}
    fields = {
        "job_id": "bench",
        "number": 1,
        "retailer": "keells",
        "product_id": None,
        "offer": _CRAWL | offer | texts | absent,
        "previous_minor": None,
        "previous_currency": None,
        "reason": "is benched",
        "found_at": now,
        "created_at": now,
        "expires_at": now + timedelta(days=1),
        "status": "open",
    }
    cloud.database.document(f"crawl_quarantine/{entry_id}").set(fields)
    return entry_id


def _decide(cloud: Cloud) -> Call:
    return post(cloud, f"/api/crawler/quarantine/{_held(cloud)}", {"decision": "release"})


CALLS: Final[dict[str, Maker]] = {
    "crawler_quarantine": get("/api/crawler/quarantine"),
    "crawler_quarantined": _decide,
    "crawler_result": _remove,
    "crawler_results": get("/api/crawler/results"),
    "ingest_crawl": lambda cloud: task(cloud, {"job_id": ended_job(cloud)}),
}
