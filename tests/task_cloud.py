"""Cloud Tasks and Cloud Scheduler in a background thread, with a sink for what they deliver."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import jwt
import uvicorn
from google.cloud import scheduler_v1, tasks_v2
from google.cloud.scheduler_v1.services.cloud_scheduler.transports import (
    CloudSchedulerGrpcTransport,
)
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport
from grpc import insecure_channel  # type: ignore[import-untyped]
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.cloud_scheduler import CloudScheduler
from local.cloud_tasks import CloudTasks
from local.oidc import Issuer
from tests.polling import eventually

T = TypeVar("T")
PARENT = "projects/demo/locations/asia-south1"
ISSUER = "https://accounts.example"


@dataclass
class Delivery:
    path: str
    headers: dict[str, str]
    body: bytes
    at: float


@dataclass
class Sink:
    """Answers POSTs as told by path, and remembers them."""

    deliveries: list[Delivery] = field(default_factory=list)
    answers: dict[str, Callable[[int], int]] = field(default_factory=dict)
    delays: dict[str, float] = field(default_factory=dict)
    open: dict[str, int] = field(default_factory=dict)
    most_open: dict[str, int] = field(default_factory=dict)

    def of(self, path: str) -> list[Delivery]:
        return [delivery for delivery in self.deliveries if delivery.path == path]

    async def receive(self, request: Request) -> Response:
        path = request.path_params["path"]
        body = await request.body()
        self.deliveries.append(Delivery(path, dict(request.headers), body, time.monotonic()))
        number = len(self.of(path))
        self.open[path] = self.open.get(path, 0) + 1
        self.most_open[path] = max(self.open[path], self.most_open.get(path, 0))
        try:
            await asyncio.sleep(self.delays.get(path, 0))
        finally:
            self.open[path] -= 1
        answer = self.answers.get(path)
        return Response(status_code=answer(number) if answer else 200)


@dataclass
class ManualClock:
    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Cloud:
    loop: asyncio.AbstractEventLoop
    sink: Sink
    url: str
    tasks: CloudTasks
    tasks_port: int
    scheduler: CloudScheduler
    scheduler_port: int

    def run(self, work: Awaitable[T]) -> T:
        async def wait() -> T:
            return await work

        return asyncio.run_coroutine_threadsafe(wait(), self.loop).result(10)

    def tasks_client(self) -> tasks_v2.CloudTasksClient:
        channel = insecure_channel(f"127.0.0.1:{self.tasks_port}")
        return tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))

    def scheduler_client(self) -> scheduler_v1.CloudSchedulerClient:
        channel = insecure_channel(f"127.0.0.1:{self.scheduler_port}")
        transport = CloudSchedulerGrpcTransport(channel=channel)
        return scheduler_v1.CloudSchedulerClient(transport=transport)

    def verified(self, delivery: Delivery, audience: str) -> dict[str, object]:
        """The claims of the delivery's token, checked as a function outside Google would."""
        token = delivery.headers["authorization"].removeprefix("Bearer ")
        key = jwt.PyJWKClient(f"{self.url}/certs").get_signing_key_from_jwt(token)
        claims: dict[str, object] = jwt.decode(
            token, key, algorithms=["RS256"], audience=audience, issuer=ISSUER
        )
        return claims


@contextmanager
def task_cloud(
    clock: Callable[[], datetime] | None = None, *, by_schedule: bool = True
) -> Iterator[Cloud]:
    """Both servers and the sink on free ports, with short deadlines allowed."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> tuple[Cloud, uvicorn.Server, asyncio.Task[None]]:
        issuer, sink = Issuer(ISSUER), Sink()
        tasks = CloudTasks(issuer, task_name_memory_seconds=60, shortest_deadline_seconds=0.1)
        clocked = {"clock": clock} if clock else {}
        scheduler = CloudScheduler(
            issuer,
            tick_seconds=0.01,
            shortest_deadline_seconds=0.1,
            by_schedule=by_schedule,
            **clocked,
        )
        routes = [*issuer.routes(), *tasks.routes(), *scheduler.routes()]
        catch_all = Route("/{path:path}", sink.receive, methods=["GET", "POST"])
        app = Starlette(routes=[*routes, catch_all])
        server = uvicorn.Server(
            uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off")
        )
        serving = asyncio.create_task(server.serve())
        ports = await tasks.start(), await scheduler.start()
        cloud = Cloud(loop, sink, "", tasks, ports[0], scheduler, ports[1])
        return cloud, server, serving

    cloud, server, serving = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    eventually(lambda: server.started)
    cloud.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield cloud
    cloud.run(cloud.tasks.stop())
    cloud.run(cloud.scheduler.stop())
    server.should_exit = True
    cloud.run(serving)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()
