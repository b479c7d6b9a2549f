"""The cluster's client against the local Jobs interface, and against an API server's moods."""

import asyncio
import json
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from local.kubernetes import KubernetesJobs
from local.ports import HOST
from shared.clients import kubernetes
from shared.clients.kubernetes_errors import QuotaExceeded
from shared.crawling.pod_manifest import SELECTOR, Launch, Place, manifest
from shared.errors import DependencyRefused, DependencyTimeout, DependencyUnavailable
from tests.integration.edge.instance import instance
from tests.polling import eventually

TOKEN = "a-token-of-the-cluster"
NAMESPACE = "crawler"
SLEEPER = (sys.executable, "-c", "import sys, time; time.sleep(float(sys.argv[1]))")
SETTINGS = {
    "GOOGLE_CLOUD_PROJECT": "demo-shopple",
    "SECRET_KEY": "a-key-that-protects-nothing-at-all",
    "FIRESTORE_EMULATOR_HOST": "127.0.0.1:9",
    "CRAWLER_NAMESPACE": NAMESPACE,
    "GKE_TOKEN": TOKEN,
}


@contextmanager
def serving(app: Any) -> Iterator[str]:
    listening = socket.socket()
    listening.bind((HOST, 0))
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="error", lifespan="on", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    eventually(lambda: server.started)
    yield f"http://{HOST}:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()


@contextmanager
def cluster(url: str, **changes: str) -> Iterator[None]:
    with instance(SETTINGS, GKE_ENDPOINT=url, **changes):
        yield


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The local interface; its pods sleep for as long as their first argument says."""
    made = KubernetesJobs(NAMESPACE, TOKEN, [], tmp_path_factory.mktemp("pods"), SLEEPER)
    app = made.app()
    app.router.routes += made.routes()
    with serving(app) as url:
        yield url


@pytest.fixture
def _local(jobs: str) -> Iterator[None]:
    with cluster(jobs):
        yield


def job(name: str, sleeps: float = 60, **spec: Any) -> dict[str, Any]:
    place = Place(NAMESPACE, "image", "account", "http://x", "http://x", "bucket", 60)
    made = manifest(Launch(name, 1, 60, browser=False), place)
    made["spec"] |= spec
    made["spec"]["template"]["spec"]["containers"][0]["args"] = [str(sleeps)]
    return made


def only(name: str) -> str:
    return f"{SELECTOR},shopple.crawl/job={name}"


def finished(name: str) -> bool:
    found = kubernetes.read_job(f"crawl-{name}-1")
    return found is not None and found.finished


@pytest.mark.usefixtures("_local")
class TestTheLocalCluster:
    def test_a_launch_that_comes_twice_starts_one_pod(self) -> None:
        assert kubernetes.create_job(job("twice"))
        assert not kubernetes.create_job(job("twice"))
        (found,) = kubernetes.list_jobs(only("twice"))
        assert (found.name, found.finished) == ("crawl-twice-1", False)
        assert found.labels["shopple.crawl/token"] == "1"

    def test_a_job_that_ends_is_finished_and_goes_after_its_time(self) -> None:
        kubernetes.create_job(job("short", 0, ttlSecondsAfterFinished=0))
        assert kubernetes.await_gone(only("short"), 20)
        assert kubernetes.read_job("crawl-short-1") is None

    def test_a_job_beyond_its_deadline_is_ended(self) -> None:
        kubernetes.create_job(job("late", activeDeadlineSeconds=1))
        assert eventually(lambda: finished("late"))

    def test_a_deleted_job_is_gone_once_its_pod_is(self, jobs: str) -> None:
        import httpx

        kubernetes.create_job(job("gone"))
        told = httpx.get(f"{jobs}/pods", trust_env=False).json()["pods"]
        (pid,) = [each["pid"] for each in told if each["name"] == "crawl-gone-1"]
        assert kubernetes.delete_job("crawl-gone-1")
        assert kubernetes.await_gone(only("gone"), 20)
        assert not psutil.pid_exists(pid)
        assert not kubernetes.delete_job("crawl-gone-1")

    def test_what_is_still_there_at_the_end_of_the_time_is_said(self) -> None:
        kubernetes.create_job(job("stays"))
        assert not kubernetes.await_gone(only("stays"), 1)

    def test_the_pages_of_a_list_are_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for number in range(3):
            kubernetes.create_job(job(f"page{number}", 0))
        monkeypatch.setattr(kubernetes, "PAGE", 2)
        names = [each.name for each in kubernetes.list_jobs(SELECTOR)]
        assert {f"crawl-page{number}-1" for number in range(3)} <= set(names)
        assert len(names) == len(set(names))

    def test_what_is_no_job_is_refused(self) -> None:
        wrong = job("wrong")
        wrong["spec"]["backoffLimit"] = "none"
        with pytest.raises(DependencyRefused, match="backoffLimit"):
            kubernetes.create_job(wrong)
        with pytest.raises(DependencyRefused, match=r"422.*metadata\.name"):
            kubernetes.create_job(job("Not_A_Name"))


@pytest.mark.parametrize(
    ("changes", "status"), [({"GKE_TOKEN": "another"}, 401), ({"CRAWLER_NAMESPACE": "other"}, 403)]
)
def test_a_stranger_and_another_namespace_are_refused(
    jobs: str, changes: dict[str, str], status: int
) -> None:
    with cluster(jobs, **changes), pytest.raises(DependencyRefused, match=str(status)):
        kubernetes.list_jobs(SELECTOR)


LIST = {"kind": "JobList", "apiVersion": "batch/v1", "metadata": {"resourceVersion": "7"}}
KEPT = {"metadata": {"name": "crawl-a-1", "labels": {}}, "spec": {"template": {}}}


@contextmanager
def server(answer: Callable[[Request], Any]) -> Iterator[None]:
    async def handle(request: Request) -> Response:
        told = answer(request)
        if asyncio.iscoroutine(told):
            told = await told
        return told  # type: ignore[no-any-return]

    routes = [Route("/{rest:path}", handle, methods=["GET", "POST", "DELETE"])]
    with serving(Starlette(routes=routes)) as url, cluster(url):
        yield


def status(code: int, reason: str = "", message: str = "told") -> JSONResponse:
    told = {"kind": "Status", "reason": reason, "message": message, "code": code}
    return JSONResponse(told, code)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (401, DependencyRefused),
        (403, DependencyRefused),
        (409, DependencyUnavailable),
        (422, DependencyRefused),
        (429, DependencyUnavailable),
        (500, DependencyUnavailable),
        (503, DependencyUnavailable),
    ],
)
def test_each_refusal_is_one_of_ours(code: int, error: type[Exception]) -> None:
    with server(lambda _: status(code)):
        for call in (
            lambda: kubernetes.create_job(job("a")),
            lambda: kubernetes.read_job("a"),
            lambda: kubernetes.list_jobs(SELECTOR),
            lambda: kubernetes.delete_job("a"),
        ):
            with pytest.raises(error):
                call()


FULL = 'jobs.batch "crawl-a-1" is forbidden: exceeded quota: crawls, requested: count/jobs.batch=1'


@pytest.mark.parametrize("there", [True, False])
def test_a_quota_that_is_used_up_is_no_missing_right(*, there: bool) -> None:
    def answer(request: Request) -> Response:
        if request.method == "POST":
            return status(403, "Forbidden", FULL)
        return JSONResponse(KEPT) if there else status(404, "NotFound")

    with server(answer):
        if there:
            # Kubernetes looks at the quota before the name.
            assert not kubernetes.create_job(job("a"))
        else:
            with pytest.raises(QuotaExceeded, match="crawls"):
                kubernetes.create_job(job("a"))


def test_a_conflict_is_a_job_that_is_there_only_where_the_server_says_so() -> None:
    with server(lambda _: status(409, "AlreadyExists")):
        assert not kubernetes.create_job(job("a"))
    # Two writers met at the count of a quota: nobody has made the Job.
    with server(lambda _: status(409, "Conflict")), pytest.raises(DependencyUnavailable):
        kubernetes.create_job(job("a"))


def test_a_namespace_that_is_missing_refuses_every_job() -> None:
    missing = status(404, "NotFound", 'namespaces "crawler" not found')
    with server(lambda _: missing), pytest.raises(DependencyRefused, match="namespaces"):
        kubernetes.create_job(job("a"))


def test_a_job_is_absent_only_where_the_server_says_so() -> None:
    with server(lambda _: status(404, "NotFound")):
        assert kubernetes.read_job("a") is None
        assert not kubernetes.delete_job("a")
        with pytest.raises(DependencyRefused):
            kubernetes.create_job(job("a"))
    # Another server's page, or an address that is wrong.
    with server(lambda _: Response("no such page", 404)), pytest.raises(DependencyRefused):
        kubernetes.read_job("a")


def test_a_server_that_is_slow_or_away_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubernetes, "TIMEOUT_SECONDS", (0.5, 0.3))

    async def never(_: Request) -> Response:
        await asyncio.sleep(1)
        return status(500)

    with server(never):
        for call in (
            lambda: kubernetes.list_jobs(SELECTOR),
            lambda: kubernetes.create_job(job("a")),
        ):
            with pytest.raises(DependencyTimeout):
                call()
    with cluster("http://127.0.0.1:9"), pytest.raises(DependencyUnavailable):
        kubernetes.list_jobs(SELECTOR)


@pytest.mark.parametrize("ending", ["cut", "empty", "expired", "deleted"])
def test_a_watch_that_ends_begins_anew_until_all_are_gone(ending: str) -> None:
    lists = iter([[KEPT], [KEPT], []])
    watched: list[str | None] = []

    def answer(request: Request) -> Response:
        if not request.query_params.get("watch"):
            return JSONResponse({**LIST, "items": next(lists)})
        watched.append(request.query_params.get("resourceVersion"))
        return StreamingResponse(events(), media_type="application/json")

    async def events() -> AsyncIterator[bytes]:
        if ending == "cut":
            yield b'{"type": "MODI'
            raise ConnectionResetError
        if ending == "expired":
            gone = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}
            yield json.dumps({"type": "ERROR", "object": gone}).encode() + b"\n"
        if ending == "deleted":
            yield json.dumps({"type": "DELETED", "object": KEPT}).encode() + b"\n"

    with server(answer):
        assert kubernetes.await_gone("app=a", 30)
    assert watched[0] == "7"


def test_the_certificate_of_the_cluster_is_believed(tmp_path: Path) -> None:
    import base64

    path = Path(kubernetes._ca_file(base64.b64encode(b"a certificate").decode()))
    assert path.read_bytes() == b"a certificate"
    path.unlink()
    assert not list(tmp_path.iterdir())
