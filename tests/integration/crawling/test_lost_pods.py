"""Drills: pods that are killed, frozen and woken, or cut off, and what becomes of their crawls."""

import gzip
import os
import signal
from collections import Counter
from datetime import timedelta
from typing import Any

import httpx
import msgspec

from local.shop.truth import truth
from local.stack import Stack
from scheduler.jobs import SCHEDULES
from shared.clients import storage
from shared.clock import utc_now
from shared.config import settings
from shared.crawling import job_store, reaping
from shared.crawling.models import CrawlJob
from shared.crawling.results import Manifest
from tests.integration.crawling import cloud
from tests.integration.crawling.cloud import after, as_admin, is_over, pid_of, reached
from tests.integration.edge.instance import instance
from tests.polling import eventually

RETAILER, NO_MORE = "Drill Shop", "Drill Shop without restarts"
# Long beyond the lease of a pod that was heard just now.
LEASE = 61
# The reaper runs each minute.
SWEEP = timedelta(minutes=1)
SLOW: dict[str, Any] = {"delay_seconds": 0.25}


def counted_rows(manifest: str) -> list[dict[str, Any]]:
    content = storage.read(manifest)
    assert content is not None
    read = msgspec.json.decode(content, type=Manifest)
    packed = storage.read(read.rows.name)
    assert packed is not None
    lines = gzip.decompress(packed).splitlines()
    assert len(lines) == read.rows.rows
    return [msgspec.json.decode(line) for line in lines]


def names_and_prices(rows: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return sorted((row["name"], row["price_minor"]) for row in rows)


def test_lost_pods_end_with_their_lease_and_a_restart_loses_and_doubles_nothing(
    stack: Stack,
) -> None:
    stack.control.empty_sink()
    with as_admin(stack) as http:
        for retailer, restarts in ((RETAILER, 1), (NO_MORE, 0)):
            cloud.put_recipe(http, retailer, stack.plan.shop_url, restarts=restarts, **SLOW)
        killed = cloud.start(http, RETAILER, "biscuits")
        cut_off = cloud.start(http, RETAILER, "chocolate")
        frozen = cloud.start(http, NO_MORE, "tea")
        for job_id in (killed, cut_off, frozen):
            reached(http, job_id, "running", pages=2)
        late, alone = pid_of(stack, frozen), pid_of(stack, cut_off)
        # From the restart on there is no need to be slow.
        cloud.put_recipe(http, RETAILER, stack.plan.shop_url, delay_seconds=0)

        os.killpg(pid_of(stack, killed), signal.SIGKILL)
        os.killpg(late, signal.SIGSTOP)
        stack.part("functions").pause()
        try:
            # The frozen pod is to be met alive: this sweep reaches no cluster.
            with instance(stack.environment(), GKE_ENDPOINT="http://127.0.0.1:9"):
                lost = _swept_each_minute([killed, cut_off, frozen])
        finally:
            stack.part("functions").resume()
        outcome = {job.id: (job.status, job.token) for job in lost}
        assert outcome == {killed: ("queued", 2), cut_off: ("queued", 2), frozen: ("failed", 1)}
        told = [str(each["body"]) for each in stack.control.taken()]
        (message,) = [text for text in told if "whose pod was lost" in text]
        assert message.count("(attempt 2)") == 2
        assert NO_MORE not in message

        before = cloud.status(http, frozen)
        os.killpg(late, signal.SIGCONT)
        eventually(lambda: is_over(late))
        assert cloud.status(http, frozen) == before
        ended = [reached(http, job_id, "completed") for job_id in (killed, cut_off)]
        assert [each["attempt"] for each in ended] == [2, 2]
        # Each end is told once by its own message, also that of the crawl whose pod woke late.
        eventually(lambda: _ends_told(stack) == [(RETAILER, 2), (NO_MORE, 1)])
        eventually(lambda: is_over(alone))
        _check_results(stack, {killed: "biscuits", cut_off: "chocolate"}, frozen)
        _check_orphans(stack, http)


def _ends_told(stack: Stack) -> list[tuple[str, int]]:
    told = [str(each["body"]) for each in stack.control.taken()]
    names = [each.partition("*: ")[0].partition("Crawl of *")[2] for each in told]
    counted = Counter(name.partition(",")[0] for name in names)
    return [(name, counted[name]) for name in (RETAILER, NO_MORE)]


def _swept_each_minute(job_ids: list[str]) -> list[CrawlJob]:
    """What the sweeps of the next minutes make of pods that are heard no more.

    By each job's own times it took its lease and at most one sweep more.
    """
    (reaper,) = [each for each in SCHEDULES if each.function == "reap_crawls"]
    assert reaper.schedule == "* * * * *"
    now, known = utc_now(), job_store.read_many(job_ids)
    lease, start = settings().crawler_lease_seconds, settings().crawler_start_seconds
    lost = []
    for minute in range(3):
        at = now + minute * SWEEP
        swept = reaping.sweep(lambda at=at: at).lost  # type: ignore[misc]
        found = [job for job in swept if job.id in known]
        assert minute or not found
        lost += found
    for job in lost:
        heard_at, begun_at = known[job.id].heartbeat_at, job.lease_until
        ended_at = begun_at - timedelta(seconds=start) if begun_at else job.finished_at
        assert heard_at is not None
        assert ended_at is not None
        assert timedelta(seconds=lease) <= ended_at - heard_at
        assert ended_at - heard_at <= timedelta(seconds=lease) + SWEEP
    return lost


def _check_results(stack: Stack, crawls: dict[str, str], frozen: str) -> None:
    with instance(stack.environment()):
        for job_id, category in crawls.items():
            job = job_store.read(job_id)
            assert job.manifest == f"crawls/{job_id}/{2:012d}/manifest.json"
            # The pod before it left nothing at all.
            assert storage.read(f"crawls/{job_id}/{1:012d}/manifest.json") is None
            wanted = truth(stack.plan.shop_url, category)
            assert names_and_prices(counted_rows(job.manifest)) == names_and_prices(wanted)
            assert job.rows == len(wanted)
        assert job_store.read(frozen).manifest is None
        assert storage.read(f"crawls/{frozen}/{1:012d}/manifest.json") is None


def _check_orphans(stack: Stack, http: httpx.Client) -> None:
    """A crawl that is stopped ends although it is stuck, and its pod goes with a later sweep."""
    cloud.put_recipe(http, RETAILER, stack.plan.shop_url, **SLOW)
    job_id = cloud.start(http, RETAILER, "biscuits")
    reached(http, job_id, "running")
    pid = pid_of(stack, job_id)
    os.killpg(pid, signal.SIGSTOP)
    assert http.post(f"/api/crawler/stop/{job_id}").json()["status"] == "stopping"
    with instance(stack.environment()):
        assert reaping.sweep().lost == []
        (lost,) = reaping.sweep(after(LEASE)).lost
        assert (lost.id, lost.status) == (job_id, "stopped")
        # By Cloud Scheduler's own run, once its pod has had its while to end by itself.
        cloud.fire(stack, "reap-crawls")
        assert not is_over(pid)
        long_ago = utc_now() - timedelta(seconds=LEASE)
        job_store.reference(job_id).update({"finished_at": long_ago})
    cloud.fire(stack, "reap-crawls")
    eventually(lambda: is_over(pid))
    name = f"crawl-{job_id}-1"
    eventually(lambda: name not in [each["name"] for each in stack.control.pods()])
