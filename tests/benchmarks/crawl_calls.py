"""Representative requests of crawls: ordered, watched, launched, heard, ended."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from local.plan import POD
from tests.benchmarks.call import Call
from tests.benchmarks.cloud import Cloud
from tests.benchmarks.requests import Maker, get, json_bytes, post, task

_RETAILER: Final = "Bench Shop"
_CATEGORY: Final = "tea"
_REPORT: Final = {"progress": {"pages_done": 1, "pages_known": 9, "products_found": 1}}
_RATE: Final = {"pages_per_second": 1.0, "seconds_left": 8.0}


def _recipe(cloud: Cloud) -> None:
    """A retailer whose crawls are ordered and never begin: the cluster is nowhere."""
    starts = {_CATEGORY: ["https://shop.example/tea"]}
    fields: dict[str, Any] = {"site": {"start_urls": starts, "listing": {}}, "version": 1}
    document = cloud.database.document(f"crawl_retailers/{_RETAILER}")
    document.set(fields | {"updated_at": datetime.now(UTC)})


def _job(cloud: Cloud, status: str = "running") -> str:
    """A crawl that has a pod: its id."""
    _recipe(cloud)
    now, job_id = datetime.now(UTC), secrets.token_hex(10)
    fields = {
        "retailer": _RETAILER,
        "category": _CATEGORY,
        "requested_by": "bench",
        "created_at": now,
        "status": status,
        "lease_until": now + timedelta(minutes=5),
    }
    cloud.database.document(f"crawl_jobs/{job_id}").set(fields)
    return job_id


def _start(cloud: Cloud) -> Call:
    _recipe(cloud)
    body = {"retailer": _RETAILER, "category": _CATEGORY, "force": True}
    return post(cloud, "/api/crawler/start", body)


def _start_multiple(cloud: Cloud) -> Call:
    _recipe(cloud)
    wanted = {"retailer": _RETAILER, "category": _CATEGORY}
    return post(cloud, "/api/crawler/start-multiple", {"jobs": [wanted], "force": True})


def _read(cloud: Cloud) -> Call:
    _recipe(cloud)
    return get(f"/api/crawler/retailers/{_RETAILER}")(cloud)


def _report(cloud: Cloud) -> Call:
    signed, _, _ = cloud.stack.control.invoker_token(email=POD).rpartition(".")
    headers = cloud.invoker() | {"Authorization": f"Bearer {signed}.SIGNATURE_REMOVED_BY_GOOGLE"}
    body = {"token": 1, "progress": _REPORT["progress"] | _RATE}
    path = f"/internal/crawler/jobs/{_job(cloud)}/report"
    return Call("POST", path, headers=headers, body=json_bytes(body))


CALLS: Final[dict[str, Maker]] = {
    "crawl_report": _report,
    "crawler_jobs": get("/api/crawler/jobs"),
    "crawler_retailer": _read,
    "crawler_retailers": get("/api/crawler/retailers"),
    "crawler_start": _start,
    "crawler_start_multiple": _start_multiple,
    "crawler_status": lambda cloud: get(f"/api/crawler/status/{_job(cloud)}")(cloud),
    "crawler_stop": lambda cloud: post(cloud, f"/api/crawler/stop/{_job(cloud)}"),
    "launch_crawl": lambda cloud: task(cloud, {"job_id": _job(cloud, "stopped"), "token": 1}),
    "reap_crawls": lambda cloud: task(cloud, {}),
}
