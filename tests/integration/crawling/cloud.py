"""Crawls by the API and by the domain, against the running cloud."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import grpc  # type: ignore[import-untyped]
import httpx
import psutil
from google.cloud.scheduler_v1 import CloudSchedulerClient
from google.cloud.scheduler_v1.services.cloud_scheduler.transports import (
    CloudSchedulerGrpcTransport,
)

from local.plan import PROJECT
from local.shop.truth import recipe
from local.stack import Stack
from shared.clock import Clock, utc_now
from shared.edge.request import Actor
from tests import sessions
from tests.forked import Program
from tests.integration.edge.instance import instance
from tests.integration.products.support import QUEUE
from tests.polling import eventually

Json = dict[str, Any]
ACTOR = Actor("tester", "tester@shopple.test", "crawl.tested", "127.0.0.1", "a-request")


def after(seconds: float) -> Clock:
    """The clock of a moment that has not come yet, so that no test waits for it."""

    def clock() -> datetime:
        return utc_now() + timedelta(seconds=seconds)

    return clock


@contextmanager
def as_admin(stack: Stack, account: Any = sessions.SUPER_ADMIN) -> Iterator[httpx.Client]:
    with sessions.new_client(stack, sessions.log_in(stack, account)) as http:
        http.timeout = httpx.Timeout(60)
        yield http


@contextmanager
def no_pods(stack: Stack, **changes: str | None) -> Iterator[None]:
    """Within it nobody launches anything; what was wanted meanwhile is no longer wanted then."""
    _queue(stack, "pause")
    try:
        with instance(stack.environment(), **changes):
            yield
    finally:
        _queue(stack, "resume")


def _queue(stack: Stack, what: str) -> None:
    program = Program(QUEUE, (what, "crawls"), os.environ | stack.environment())
    program.communicate(timeout=60)
    assert program.returncode == 0


def put_recipe(
    http: httpx.Client,
    retailer: str,
    origin: str,
    *,
    restarts: int = 1,
    starts: dict[str, list[str]] | None = None,
    **limits: Any,
) -> Json:
    """The shop's recipe under a name, for the API; `starts` are other start pages than its own."""
    site = recipe(origin, backoff_seconds=0.01, at_once=4, **limits)
    del site["retailer"], site["version"]
    site["start_urls"] = starts or site["start_urls"]
    answer = http.put(
        f"/api/crawler/retailers/{quote(retailer)}", json={**site, "restarts": restarts}
    )
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


def start(http: httpx.Client, retailer: str, category: str, **more: Any) -> str:
    body = {"retailer": retailer, "category": category, "force": True, **more}
    answer = http.post("/api/crawler/start", json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["job_id"])


def status(http: httpx.Client, job_id: str) -> Json:
    answer = http.get(f"/api/crawler/status/{job_id}")
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


def reached(http: httpx.Client, job_id: str, *wanted: str, pages: int = 0) -> Json:
    """The crawl's status once it is one of those, with so many pages done."""

    def look() -> Json | None:
        told = status(http, job_id)
        return told if told["status"] in wanted and told["pages_done"] >= pages else None

    return eventually(look, timeout_seconds=180)


def fire(stack: Stack, name: str, times: int = 1) -> None:
    """Has Cloud Scheduler run a job at once, and returns when these runs have ended."""
    host = stack.environment()["CLOUD_SCHEDULER_EMULATOR_HOST"]
    before = _job(stack, name)
    with grpc.insecure_channel(host) as channel:
        client = CloudSchedulerClient(transport=CloudSchedulerGrpcTransport(channel=channel))
        for _ in range(times):
            client.run_job(name=f"projects/{PROJECT}/locations/asia-south1/jobs/{name}")

    def ended() -> Json | None:
        now = _job(stack, name)
        run = now["dispatched"] >= before["dispatched"] + times
        return now if run and not now["running"] else None

    told = eventually(ended)
    # Of several at once one may have to give way, and is tried again.
    assert told["failed"] == before["failed"] or times > 1, told


def _job(stack: Stack, name: str) -> Json:
    told: list[Json] = stack.control.jobs()["jobs"]
    (job,) = [each for each in told if each["name"] == name]
    return job


def pid_of(stack: Stack, job_id: str, token: int = 1) -> int:
    (pid,) = [
        each["pid"] for each in stack.control.pods() if each["name"] == f"crawl-{job_id}-{token}"
    ]
    return int(pid)


def is_over(pid: int) -> bool:
    """Whether the process has ended, whether or not anybody has asked how."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
