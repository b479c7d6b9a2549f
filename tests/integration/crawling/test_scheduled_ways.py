"""What Cloud Scheduler and Cloud Tasks set going themselves, and what it does."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from functions_framework import create_app
from werkzeug.serving import make_server

from local.firestore import clear_documents
from local.ports import HOST
from local.stack import Stack
from shared.clients import scheduler
from shared.crawling import driving, job_store, jobs, pods, schedules
from shared.crawling.background_schemas import PodReport
from shared.crawling.models import CrawlJob
from tests.integration.crawling import cloud
from tests.integration.crawling.cloud import ACTOR, fire, no_pods
from tests.integration.crawling.test_late_pods import pod_of
from tests.integration.crawling.test_schedules import (
    RETAILER,
    SITE,
    Json,
    job_like,
    made,
    moment,
    row,
    runs_of,
)
from tests.integration.edge.instance import codebase
from tests.polling import eventually

LEASE_SECONDS = 4
# By the reaper's schedule.
SWEEP_SECONDS = 60
KILLED = "killed-shop"


@pytest.fixture(scope="module")
def http(stack: Stack) -> Iterator[httpx.Client]:
    """A super admin, and two retailers of which one has no restarts; no pod begins meanwhile."""
    clear_documents(stack.plan)
    stack.control.empty_sink()
    changes = {"CRAWLER_LEASE_SECONDS": str(LEASE_SECONDS)}
    with cloud.as_admin(stack) as client, no_pods(stack, **changes):
        for name, restarts in ((RETAILER, 1), ("no-more", 0)):
            site = {**SITE, "restarts": restarts}
            client.put(f"/api/crawler/retailers/{name}", json=site).raise_for_status()
        yield client
        for each in job_store.read_many([each["job_id"] for each in _listed(client)]).values():
            jobs.stop(each.id, ACTOR)
    # No end of theirs is told in another test.
    stack.control.wait_until_idle(180)


def _listed(http: httpx.Client) -> list[Json]:
    found: list[Json] = http.get("/api/crawler/jobs", params={"limit": 100}).json()["jobs"]
    return found


def due(schedule_id: str, at: datetime, **more: Any) -> datetime:
    """Has a schedule's slot come then, for which a test would wait for hours."""
    slot = at.replace(microsecond=0)
    schedules.reference(schedule_id).update({"next_run_at": slot, **more})
    return slot


def ran(http: httpx.Client, schedule_id: str) -> Json:
    """The schedule once a slot of it was served."""
    return eventually(lambda: (told := row(http, schedule_id))["last_job_id"] and told)


def test_a_schedules_own_job_starts_what_is_due_and_nothing_else(
    stack: Stack, http: httpx.Client
) -> None:
    told = made(http)
    job = f"crawl-{told['id']}"
    fire(stack, job)
    # Forced, it carries the time of a slot that has not come.
    assert row(http, told["id"]) == told
    assert runs_of(told["id"]) == []

    slot = due(told["id"], datetime.now(UTC))
    fire(stack, job, times=3)
    after = ran(http, told["id"])
    (run,) = runs_of(told["id"])
    assert (run["status"], run["category"], after["last_status"]) == ("queued", "tea", "queued")
    assert slot < moment(after["next_run_at"]) <= slot + timedelta(hours=25)


def test_cloud_tasks_wakes_what_cron_cannot_say_at_its_time(
    stack: Stack, http: httpx.Client
) -> None:
    at = datetime.now(UTC) + timedelta(days=3)
    told = made(http, category="rice", type="once", time=None, at=at.isoformat())
    assert scheduler.find_job(f"crawl-{told['id']}") is None
    # Nobody has told Cloud Tasks of this time: the sweep does.
    slot = due(told["id"], datetime.now(UTC) + timedelta(seconds=3), undriven=True)
    fire(stack, "sweep-crawl-schedules")
    after = ran(http, told["id"])
    (run,) = runs_of(told["id"])
    assert slot <= moment(after["last_run_at"]) <= slot + timedelta(seconds=60)
    # Its own time is still to come.
    assert (run["category"], after["next_run_at"]) == ("rice", told["next_run_at"])
    stored = schedules.find(told["id"])
    assert stored is not None
    assert not stored.undriven


def test_the_sweep_runs_what_an_outage_swallowed_once(stack: Stack, http: httpx.Client) -> None:
    told = made(http, retailer="no-more", type="interval", time=None, interval_minutes=240)
    missed = due(told["id"], datetime.now(UTC) - timedelta(days=3))
    fire(stack, "sweep-crawl-schedules", times=2)
    fire(stack, "sweep-crawl-schedules")
    after = ran(http, told["id"])
    assert len(runs_of(told["id"])) == 1
    assert missed < datetime.now(UTC) < moment(after["next_run_at"])


def test_the_repair_makes_the_jobs_what_the_schedules_say(stack: Stack, http: httpx.Client) -> None:
    lost, changed, kept = (made(http, name=name)["id"] for name in ("lost", "changed", "kept"))
    jobs_before = {each: scheduler.find_job(f"crawl-{each}") for each in (lost, changed, kept)}
    known = jobs_before[changed]
    assert known is not None
    scheduler.delete_job(f"crawl-{lost}")
    scheduler.delete_job(f"crawl-{changed}")
    scheduler.create_job(job_like(known, known.name, f"Moved by hand. {driving.MARKER}"))
    scheduler.pause_job(known.name)
    orphan = f"crawl-{'1' * 20}"
    scheduler.create_job(job_like(known, orphan, f"Ours. {driving.MARKER}"))
    fire(stack, "repair-crawl-schedules")
    assert {each: scheduler.find_job(f"crawl-{each}") for each in jobs_before} == jobs_before
    assert scheduler.find_job(orphan) is None


def claimed(retailer: str) -> CrawlJob:
    """A crawl whose pod has come, and is not heard again."""
    job = jobs.start(retailer, "rice", force=True, by=ACTOR)
    pods.hear(job.id, PodReport(token=1, order=True))
    return job_store.read(job.id)


@contextmanager
def hearing() -> Iterator[str]:
    """The function that hears pods, in this process and so by this test's lease; its address."""
    app = create_app("crawl_report", str(codebase("crawler")), "http")  # type: ignore[no-untyped-call]
    server = make_server(HOST, 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def pod_killed(stack: Stack, http: httpx.Client) -> CrawlJob:
    """A crawl whose pod, a process that crawls the shop, was killed in the midst of it."""
    cloud.put_recipe(http, KILLED, stack.plan.shop_url, restarts=0, delay_seconds=0.3)
    job = jobs.start(KILLED, "tea", force=True, by=ACTOR)
    with hearing() as report_url, pod_of(stack, job.id, report_url) as pod:
        eventually(lambda: job_store.read(job.id).status == "running")
        os.kill(pod.pid, signal.SIGKILL)
        assert pod.wait(timeout=60) == -signal.SIGKILL
    return job_store.read(job.id)


def test_the_reaper_ends_a_lost_crawl_with_the_first_run_after_its_lease(
    stack: Stack, http: httpx.Client
) -> None:
    stack.control.empty_sink()
    lost, killed = claimed(RETAILER), pod_killed(stack, http)
    over, heard = killed.lease_until, killed.heartbeat_at
    assert over is not None
    assert heard is not None
    assert over - heard == timedelta(seconds=LEASE_SECONDS)
    begun: list[datetime] = []

    def ended() -> Json | None:
        begun.append(datetime.now(UTC))
        fire(stack, "reap-crawls")
        told = cloud.status(http, killed.id)
        return told if told["finished_at"] else None

    told = eventually(ended)
    assert (told["status"], "not heard of" in told["error"]) == ("failed", True)
    # No run before took it, and the first one that had to did.
    assert over <= moment(told["finished_at"])
    assert len([each for each in begun if each > over]) <= 1
    # By the clock on the wall, which nobody set ahead.
    most = timedelta(seconds=LEASE_SECONDS + SWEEP_SECONDS)
    assert timedelta(seconds=LEASE_SECONDS) <= datetime.now(UTC) - heard <= most
    eventually(lambda: job_store.read(lost.id).token == 2)
    again = job_store.read(lost.id)
    assert (again.status, again.attempt, again.loss_told) == ("queued", 2, True)

    def texts() -> list[str]:
        return [str(each["text"]) for each in stack.control.taken()]

    # The end is told by the task that its event asks for.
    eventually(lambda: any(KILLED in text for text in texts()))
    (loss,) = [text for text in texts() if "begun anew" in text]
    assert (f"{RETAILER}, rice (attempt 2)" in loss, KILLED in loss) == (True, False)
    (end,) = [text for text in texts() if KILLED in text]
    assert "failed" in end
