"""Representative requests of crawl schedules."""

import json
import secrets
from datetime import UTC, datetime
from typing import Any, Final

from tests.benchmarks.call import Call
from tests.benchmarks.cloud import Cloud
from tests.benchmarks.requests import Maker, get, task

_SCHEDULE: Final[dict[str, Any]] = {
    "name": "Benched",
    "retailer": "keells",
    "category": "tea",
    "type": "daily",
    "time": "03:00",
    "timezone": "Asia/Colombo",
}
_RECIPE: Final = {"start_urls": {"tea": ["https://shop.example/tea"]}, "listing": {}}


def _with_recipe(cloud: Cloud) -> None:
    fields = {"site": _RECIPE, "version": 1, "updated_at": datetime.now(UTC)}
    cloud.database.document("crawl_retailers/keells").set(fields)


def _schedule(cloud: Cloud) -> str:
    """A paused schedule: its id."""
    _with_recipe(cloud)
    now, schedule_id = datetime.now(UTC), secrets.token_hex(10)
    absent = dict.fromkeys(
        ("at", "weekday", "interval_minutes", "next_run_at", "last_run_at", "last_outcome")
    )
    moments = dict.fromkeys(("anchor", "created_at", "updated_at"), now)
    fields = {"enabled": False, "undriven": False, "last_job_id": None, "created_by": "bench"}
    document = cloud.database.document(f"crawl_schedules/{schedule_id}")
    document.set({**_SCHEDULE, **absent, **moments, **fields, "version": 1})
    return schedule_id


def _change(cloud: Cloud) -> Call:
    path = f"/api/crawler/schedules/{_schedule(cloud)}"
    headers = cloud.user() | {"Content-Type": "application/json"}
    body = json.dumps({**_SCHEDULE, "name": "Benched again", "enabled": False}).encode()
    return Call("PUT", path, headers=headers, body=body)


CALLS: Final[dict[str, Maker]] = {
    "crawler_schedule": _change,
    "crawler_schedules": get("/api/crawler/schedules"),
    "repair_crawl_schedules": lambda cloud: task(cloud, {}),
    "run_crawl_schedule": lambda cloud: task(cloud, {"schedule_id": _schedule(cloud)}),
    "sweep_crawl_schedules": lambda cloud: task(cloud, {}),
}
