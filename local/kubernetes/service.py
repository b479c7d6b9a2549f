"""The Jobs interface of an API server, for one namespace and one token."""

import asyncio
import hmac
import json
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from local.kubernetes.pods import CRAWLER, Pod, arguments_of
from local.kubernetes.rules import Refusal, check_job, fits, over_quota

_JOBS: Final = "/apis/batch/v1/namespaces/{namespace}/jobs"
_LONGEST_GRACE_SECONDS: Final = 3.0
_KEPT_EVENTS: Final = 1000
_WATCH_SECONDS: Final = 1800.0

Json = dict[str, Any]


class KubernetesJobs:
    """Jobs of the crawlers' namespace; `given` are the arguments that a cluster's own facts are."""

    def __init__(
        self,
        namespace: str,
        token: str,
        given: Sequence[str],
        logs: Path,
        image: Sequence[str] = CRAWLER,
    ) -> None:
        self._image = image
        self._namespace = namespace
        self._token = token
        self._given = given
        self._logs = logs
        self._jobs: dict[str, Json] = {}
        self._pods: dict[str, Pod] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._events: list[tuple[int, Json]] = []
        self._version = 1
        self._most: int | None = None
        self._changed = asyncio.Condition()

    def app(self) -> Starlette:
        """The server; no pod outlives it."""
        routes = [
            Route(_JOBS, self._create, methods=["POST"]),
            Route(_JOBS, self._list, methods=["GET"]),
            Route(f"{_JOBS}/{{name}}", self._read, methods=["GET"]),
            Route(f"{_JOBS}/{{name}}", self._delete, methods=["DELETE"]),
        ]
        return Starlette(
            routes=routes, exception_handlers={Refusal: _refused}, lifespan=self._lifespan
        )

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        yield
        await self.close()

    def routes(self) -> list[Route]:
        """The control surface, for drills: each pod's process, and how many Jobs there may be."""
        return [
            Route("/pods", self._control),
            Route("/pods/quota", self._limit, methods=["PUT"]),
        ]

    async def close(self) -> None:
        """Ends every pod."""
        await asyncio.gather(*(pod.end(0.5) for pod in self._pods.values() if pod.pid))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _create(self, request: Request) -> Response:
        self._check(request)
        try:
            job = await request.json()
        except ValueError:
            raise Refusal(400, "BadRequest", "the body is no JSON") from None
        name = check_job(job)
        if job["metadata"].get("namespace", self._namespace) != self._namespace:
            raise Refusal(400, "BadRequest", "the namespaces do not match")
        # In Kubernetes' own order, by which a Job that is there may be over the quota too.
        if self._most is not None and len(self._jobs) >= self._most:
            raise Refusal(403, "Forbidden", over_quota(name, len(self._jobs), self._most))
        if name in self._jobs:
            raise Refusal(409, "AlreadyExists", f'jobs.batch "{name}" already exists')
        job["metadata"] |= {
            "uid": secrets.token_hex(16),
            "namespace": self._namespace,
            "creationTimestamp": _now(),
        }
        job["status"] = {"active": 1, "startTime": _now(), "ready": 1}
        pod = Pod([*self._image, *arguments_of(job), *self._given], self._logs / f"{name}.log")
        await pod.begin()
        self._jobs[name], self._pods[name] = job, pod
        await self._note("ADDED", job)
        self._spawn(self._followed(name, job, pod))
        return JSONResponse(job, 201)

    async def _list(self, request: Request) -> Response:
        self._check(request)
        query = request.query_params
        selector = query.get("labelSelector", "")
        fits({}, selector)
        if query.get("watch", "") in ("1", "true", "True"):
            return self._watched(query.get("resourceVersion", "0"), selector, query)
        found = [job for job in self._jobs.values() if _fits(job, selector)]
        first = int(query.get("continue") or 0)
        most = int(query.get("limit") or 0) or len(found)
        page = found[first : first + most]
        meta: Json = {"resourceVersion": str(self._version)}
        if first + most < len(found):
            meta["continue"] = str(first + most)
        return JSONResponse(
            {"kind": "JobList", "apiVersion": "batch/v1", "metadata": meta, "items": page}
        )

    async def _read(self, request: Request) -> Response:
        self._check(request)
        return JSONResponse(self._known(request.path_params["name"]))

    async def _delete(self, request: Request) -> Response:
        self._check(request)
        name = request.path_params["name"]
        job = self._known(name)
        if "deletionTimestamp" not in job["metadata"]:
            job["metadata"]["deletionTimestamp"] = _now()
            await self._note("MODIFIED", job)
            self._spawn(self._removed(name, job))
        return JSONResponse(job)

    def _check(self, request: Request) -> None:
        """Raises Refusal: 401 for a stranger, 403 for what the account may not touch."""
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            raise Refusal(401, "Unauthorized", "Unauthorized")
        namespace = request.path_params["namespace"]
        if namespace != self._namespace:
            raise Refusal(
                403, "Forbidden", f'jobs.batch is forbidden in the namespace "{namespace}"'
            )

    def _known(self, name: str) -> Json:
        if name not in self._jobs:
            raise Refusal(404, "NotFound", f'jobs.batch "{name}" not found')
        return self._jobs[name]

    async def _followed(self, name: str, job: Json, pod: Pod) -> None:
        """The Job until it is gone: its pod's end, its deadline, and its time after that."""
        spec = job["spec"]
        reason = "BackoffLimitExceeded"
        try:
            code = await asyncio.wait_for(pod.ended(), spec.get("activeDeadlineSeconds"))
        except TimeoutError:
            reason, code = "DeadlineExceeded", 1
            await pod.end(_LONGEST_GRACE_SECONDS)
        job["status"] = _final(job["status"], reason, succeeded=code == 0)
        await self._note("MODIFIED", job)
        if (kept := spec.get("ttlSecondsAfterFinished")) is not None:
            await asyncio.sleep(kept)
            await self._removed(name, job)

    async def _removed(self, name: str, job: Json) -> None:
        await self._pods[name].end(_LONGEST_GRACE_SECONDS)
        if self._jobs.get(name) is job:
            del self._jobs[name], self._pods[name]
            await self._note("DELETED", job)

    async def _note(self, kind: str, job: Json) -> None:
        async with self._changed:
            self._version += 1
            job["metadata"]["resourceVersion"] = str(self._version)
            # As it is now: the Job goes on changing.
            event = json.loads(json.dumps({"type": kind, "object": job}))
            self._events.append((self._version, event))
            del self._events[:-_KEPT_EVENTS]
            self._changed.notify_all()

    def _watched(self, since: str, selector: str, query: Any) -> StreamingResponse:
        seconds = float(query.get("timeoutSeconds") or _WATCH_SECONDS)

        async def events() -> AsyncIterator[bytes]:
            seen = int(since)
            if self._events and seen + 1 < self._events[0][0] and seen:
                gone = Refusal(410, "Expired", f"too old resource version: {seen}")
                yield json.dumps({"type": "ERROR", "object": gone.body()}).encode() + b"\n"
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    while True:
                        for version, event in [e for e in self._events if e[0] > seen]:
                            seen = version
                            if _fits(event["object"], selector):
                                yield json.dumps(event).encode() + b"\n"
                        await self._beyond(seen)

        return StreamingResponse(events(), media_type="application/json")

    async def _beyond(self, seen: int) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self._version > seen)

    def _spawn(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _limit(self, request: Request) -> JSONResponse:
        self._most = (await request.json())["jobs"]
        return JSONResponse({"jobs": self._most})

    async def _control(self, _: Request) -> JSONResponse:
        return JSONResponse(
            {
                "pods": [
                    {"name": name, "pid": pod.pid, "status": self._jobs[name]["status"]}
                    for name, pod in self._pods.items()
                ]
            }
        )


def _final(status: Json, reason: str, *, succeeded: bool) -> Json:
    condition: Json = {
        "type": "Complete" if succeeded else "Failed",
        "status": "True",
        "lastTransitionTime": _now(),
    }
    if not succeeded:
        condition["reason"] = reason
    return {
        "startTime": status["startTime"],
        "succeeded" if succeeded else "failed": 1,
        "conditions": [condition],
        **({"completionTime": _now()} if succeeded else {}),
    }


def _fits(job: Json, selector: str) -> bool:
    return fits(job["metadata"].get("labels", {}), selector)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


async def _refused(_: Request, refusal: Exception) -> JSONResponse:
    assert isinstance(refusal, Refusal)  # noqa: S101 - only those are given here
    return JSONResponse(refusal.body(), refusal.status)
