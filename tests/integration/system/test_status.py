"""/system/status on the running stack: every part, and what is wrong with it."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import grpc  # type: ignore[import-untyped]
import pytest
from google.cloud.scheduler_v1 import CloudSchedulerClient
from google.cloud.scheduler_v1.services.cloud_scheduler.transports import (
    CloudSchedulerGrpcTransport,
)

from local.plan import PROJECT
from scheduler.jobs import SCHEDULES
from scheduler.queues import QUEUES
from shared.system.status import DEADLINE_SECONDS
from tests.integration.products.support import QUEUE, READS, Json, Shop
from tests.polling import eventually

PATH = "/system/status"
PARTS = [
    "firestore",
    "redis",
    "storage",
    "tasks",
    "scheduler",
    "dead_letters",
    "outbox",
    "slack",
    "mail",
    "opensearch",
    "ai_providers",
    "crawler",
]
OFF = ("opensearch", "ai_providers")


@pytest.fixture(autouse=True)
def well(shop: Shop) -> Iterator[None]:
    shop.clear()
    yield
    for part in shop.stack.parts:
        part.resume()
        part.start()


def parts(shop: Shop) -> dict[str, Json]:
    return {part["name"]: part for part in shop.get(PATH)["parts"]}


def jobs(shop: Shop) -> list[Json]:
    told: list[Json] = parts(shop)["scheduler"]["items"]
    return told


def run_job(shop: Shop, name: str) -> None:
    host = shop.stack.environment()["CLOUD_SCHEDULER_EMULATOR_HOST"]
    with grpc.insecure_channel(host) as channel:
        client = CloudSchedulerClient(transport=CloudSchedulerGrpcTransport(channel=channel))
        client.run_job(name=f"projects/{PROJECT}/locations/asia-south1/jobs/{name}")


def test_every_part_answers(shop: Shop) -> None:
    told = parts(shop)
    assert list(told) == PARTS
    assert told["tasks"]["items"] == [
        {"name": name, "state": "running"} for name in sorted(queue.name for queue in QUEUES)
    ]
    assert {job["name"] for job in jobs(shop)} == {schedule.name for schedule in SCHEDULES}
    assert told["dead_letters"]["count"] == told["outbox"]["count"] == 0
    assert told["opensearch"]["detail"] == "OPENSEARCH_URL is not set"
    assert told["ai_providers"]["detail"] == "No provider has a key; local classifies."
    assert {told[name]["state"] for name in OFF} == {"off"}
    assert {told[name]["state"] for name in PARTS if name not in ("scheduler", *OFF)} == {"ok"}


def test_a_backlog_is_told_and_costs_little_to_count(shop: Shop) -> None:
    now = datetime.now(UTC)
    for number, days in enumerate((0, 2)):
        letter = {"at": now - timedelta(days=days)}
        shop.database.document(f"dead_letters/{number}").set(letter)
    shop.database.document("outbox/product-a").set({"at": now - timedelta(minutes=1)})
    answer = shop.http.get(PATH)
    told = {part["name"]: part for part in answer.json()["parts"]}
    assert (told["dead_letters"]["count"], told["dead_letters"]["state"]) == (2, "degraded")
    assert told["dead_letters"]["detail"] == "2 in all, 1 of the last day"
    assert (told["outbox"]["count"], told["outbox"]["state"]) == (0, "ok")
    # Two counts of letters, one of debts, two of crawls, one sign of life, four keys, and a session
    # that Redis forgot.
    assert int(answer.headers[READS]) <= 11
    shop.database.document("outbox/product-a").set({"at": now - timedelta(minutes=4)})
    told = parts(shop)
    assert (told["outbox"]["count"], told["outbox"]["state"]) == (1, "degraded")
    assert told["outbox"]["detail"] == "1 overdue for 3 minutes"


def test_a_paused_queue_is_named(shop: Shop) -> None:
    shop.run(QUEUE, "pause", "prices")
    told = parts(shop)["tasks"]
    shop.run(QUEUE, "resume", "prices")
    assert (told["state"], told["detail"]) == ("degraded", "prices is paused")
    assert parts(shop)["tasks"]["state"] == "ok"


def test_a_job_that_failed_is_named_with_its_error(shop: Shop) -> None:
    # A debt of no kind, over which the sweep stumbles.
    shop.database.document("outbox/strange").set({"at": datetime(2026, 1, 1, tzinfo=UTC)})
    run_job(shop, "sweep-outbox")

    def failed() -> Json | None:
        (job,) = (each for each in jobs(shop) if each["name"] == "sweep-outbox")
        # An earlier run may have failed by itself, while the functions were being started anew.
        return job if "500" in job.get("last_error", "") else None

    job = eventually(failed)
    assert job["last_run_at"]
    assert job["state"] == "failed"
    assert "sweep-outbox failed" in parts(shop)["scheduler"]["detail"]
    shop.database.document("outbox/strange").delete()
    run_job(shop, "sweep-outbox")
    eventually(lambda: "sweep-outbox" not in str(parts(shop)["scheduler"].get("detail")))


@pytest.mark.parametrize("accident", ["pause", "kill"])
def test_a_redis_that_is_away_delays_nobody(shop: Shop, accident: str) -> None:
    getattr(shop.stack.part("valkey"), accident)()
    began = time.monotonic()
    answer = shop.http.get(PATH)
    took_seconds = time.monotonic() - began
    assert answer.status_code == 200
    told = {part["name"]: part for part in answer.json()["parts"]}
    assert told["redis"]["state"] == "down"
    assert told["redis"]["detail"] == "Redis cannot be reached."
    assert told["firestore"]["state"] in ("ok", "degraded")
    assert answer.json()["status"] == "degraded"
    # The edge asks Redis too, for the limit and the session, and gives up soon.
    assert took_seconds < DEADLINE_SECONDS + 2


def test_a_storage_that_hangs_is_not_waited_for(shop: Shop) -> None:
    shop.stack.part("storage").pause()
    began = time.monotonic()
    told = parts(shop)["storage"]
    took_seconds = time.monotonic() - began
    assert told["state"] == "down"
    assert took_seconds < DEADLINE_SECONDS + 2
