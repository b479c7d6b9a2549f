"""Drills: pods that come back after the restart of their crawl has ended change nothing."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import msgspec
import pytest

from local.kubernetes.pods import arguments_of
from local.plan import ROOT
from local.platform import pod_arguments
from local.ports import HOST
from local.shop.truth import truth
from local.stack import Stack
from shared.crawling import launching, reaping
from shared.crawling.background_schemas import PodReport
from shared.crawling.pod_manifest import Launch, manifest
from tests.integration.crawling import cloud
from tests.integration.crawling.cloud import after, as_admin, no_pods, reached
from tests.integration.products.support import Json, Shop
from tests.integration.system.conftest import Objects
from tests.polling import eventually
from tests.sessions import TLS

RETAILER = "Late Shop"
# Long beyond the lease of a pod that was heard just now.
LEASE = 61
CUT_OFF, FROZEN = "tea", "chocolate"
# The order, and the first that a pod says of its crawl.
CALLS = 2


class Line(ThreadingHTTPServer):
    """A pod's way to the product: dead after so many calls, until it is mended."""

    def __init__(self, to: str) -> None:
        super().__init__((HOST, 0), _Call)
        self.to, self.mended = to, False
        self.calls, self.lost = 0, list[PodReport]()
        self.answers = list[int]()
        self.lock = threading.Lock()

    @property
    def report_url(self) -> str:
        return f"http://{HOST}:{self.server_address[1]}/crawl_report"


class _Call(BaseHTTPRequestHandler):
    server: Line

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        line = self.server
        with line.lock:
            line.calls += 1
            dead = line.calls > CALLS and not line.mended
        if dead:
            line.lost.append(msgspec.json.decode(body, type=PodReport))
            self.close_connection = True
            return
        names = ("Authorization", "Content-Type")
        headers = {name: self.headers[name] for name in names}
        url = f"{line.to}{self.path}"
        told = httpx.post(
            url, content=body, headers=headers, timeout=60, trust_env=False, verify=TLS
        )
        line.answers.append(told.status_code)
        self.send_response(told.status_code)
        self.send_header("Content-Length", str(len(told.content)))
        self.end_headers()
        self.wfile.write(told.content)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def line_to(stack: Stack) -> Iterator[Line]:
    line = Line(stack.plan.functions_url)
    thread = threading.Thread(target=line.serve_forever)
    thread.start()
    try:
        yield line
    finally:
        line.shutdown()
        thread.join()
        line.server_close()


@contextmanager
def pod_of(stack: Stack, job_id: str, report_url: str) -> Iterator[subprocess.Popen[bytes]]:
    """The first pod of a crawl on a machine that the cluster cannot reach: nobody ends it."""
    place = msgspec.structs.replace(launching._place(), report_url=report_url)
    job = manifest(Launch(job_id, 1, 3600, browser=False), place)
    given = [*arguments_of(job), *pod_arguments(stack.plan)]
    command = [sys.executable, "-m", "crawler_pod", *given]
    pod = subprocess.Popen(command, cwd=ROOT)  # noqa: S603 - our own code
    try:
        yield pod
    finally:
        pod.kill()
        pod.wait()


@pytest.mark.drill
def test_pods_that_come_back_after_their_restart_has_ended_change_nothing(shop: Shop) -> None:
    stack = shop.stack
    stack.control.empty_sink()
    with as_admin(stack) as http, ExitStack() as pods:
        cloud.put_recipe(http, RETAILER, stack.plan.shop_url, delay_seconds=0.1)
        with no_pods(stack):
            jobs = {name: cloud.start(http, RETAILER, name) for name in (CUT_OFF, FROZEN)}
            lines = {name: pods.enter_context(line_to(stack)) for name in jobs}
            late = {
                name: pods.enter_context(pod_of(stack, job_id, lines[name].report_url))
                for name, job_id in jobs.items()
            }
            for name, job_id in jobs.items():
                eventually(lambda n=name: lines[n].lost)  # type: ignore[misc]
                assert cloud.status(http, job_id)["status"] == "running"
            late[FROZEN].send_signal(signal.SIGSTOP)
            cloud.put_recipe(http, RETAILER, stack.plan.shop_url, delay_seconds=0)
            lost = reaping.sweep(after(LEASE)).lost
            assert {(job.id, job.token) for job in lost} >= {(each, 2) for each in jobs.values()}
        for name, job_id in jobs.items():
            assert reached(http, job_id, "completed")["attempt"] == 2
            eventually(lambda i=job_id: _taken_in(shop, i))  # type: ignore[misc]
            assert _found(shop, job_id) == len(truth(stack.plan.shop_url, name))
        shop.settle()
        # The one that was cut off has all of its crawl by now, and knocks with the result of it.
        eventually(lambda: _would_end(lines[CUT_OFF]) or late[CUT_OFF].poll() is not None)

        before, objects = _everything(shop), _counting(stack, jobs)
        told = _messages(stack)
        for line in lines.values():
            line.mended = True
        os.kill(late[FROZEN].pid, signal.SIGCONT)
        # Neither result counts, and both pods know it.
        assert [pod.wait(timeout=120) for pod in late.values()] == [1, 1]
        heard = [status for line in lines.values() for status in line.answers[CALLS:]]
        assert set(heard) <= {409}
        shop.settle()
        assert _everything(shop) == before
        assert _counting(stack, jobs) == objects
        assert _messages(stack) == told
    assert len([text for text in told if "at attempt 2" in text]) == 2
    assert len(told) == 3
    stack.control.empty_sink()


def _messages(stack: Stack) -> list[str]:
    """What Slack was told of this shop: of the loss, and of each end."""
    told = [str(each["text"]) for each in stack.control.taken()]
    return [text for text in told if RETAILER in text]


def _would_end(line: Line) -> bool:
    return any(report.result is not None for report in line.lost)


def _taken_in(shop: Shop, job_id: str) -> bool:
    known = shop.database.document(f"crawl_ingestions/{job_id}").get().to_dict() or {}
    return (known.get("status"), known.get("told")) == ("done", "sent")


def _found(shop: Shop, job_id: str) -> int:
    results = shop.get("/api/crawler/results")["results"]
    (own,) = [each for each in results if each["job_id"] == job_id]
    return int(own["new"])


def _everything(shop: Shop) -> dict[str, Json]:
    """All that the database holds, save when its sessions were last seen."""
    return {
        each.id: shop.documents(each.id)
        for each in shop.database.collections()
        if each.id != "sessions"
    }


def _counting(stack: Stack, jobs: dict[str, str]) -> dict[str, bytes]:
    """The objects of the pods whose word counts."""
    objects = Objects(stack)
    names = [name for job_id in jobs.values() for name in objects.names(f"crawls/{job_id}/")]
    kept = {name: objects.read(name) for name in names if f"/{2:012d}/" in name}
    assert len(kept) == 2 * len(jobs)
    return kept
