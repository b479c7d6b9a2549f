"""The parts of Google's platform that are ours, in one process: python -m local.platform PLAN."""

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from local import reserved, sockets
from local.cloud_scheduler import CloudScheduler
from local.cloud_tasks import CloudTasks
from local.fence import Fence
from local.gateway import Gateway
from local.kubernetes import KubernetesJobs
from local.mail_sink import MailSink
from local.metadata import MetadataServer
from local.oidc import Issuer
from local.plan import (
    AUDIENCE,
    CRAWLER_NAMESPACE,
    INVOKER,
    KUBERNETES_TOKEN,
    POD,
    REDIS_TOKEN,
    Plan,
)
from local.ports import HOST
from local.relay import Relay
from local.shop.server import Shop
from local.sink import Sink
from local.upstash import UpstashFront

_POLL_SECONDS = 0.02
_GRACE_SECONDS = 1


class Platform:
    """What of Google's platform is ours, Redis' front, the sinks of messages, and a shop."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._issuer = Issuer(plan.control_url)
        self._tasks = CloudTasks(self._issuer)
        self._scheduler = CloudScheduler(self._issuer, by_schedule=plan.schedules)
        self._fence = Fence(plan)
        self._relay = Relay(
            plan.functions_url, lambda: self._issuer.sign(AUDIENCE, INVOKER), self._fence
        )
        self._sink = Sink()
        self._upstash = UpstashFront(plan.ports.valkey, REDIS_TOKEN)
        self._mail = MailSink()
        self._shop = Shop()
        self._metadata = MetadataServer(lambda audience: self._issuer.sign(audience, POD))
        self._kubernetes = KubernetesJobs(
            CRAWLER_NAMESPACE, KUBERNETES_TOKEN, pod_arguments(plan), plan.state / "logs" / "pods"
        )
        self._gateway = Gateway(
            plan.root / "firebase.json",
            plan.functions_url,
            reserved={
                **reserved.pages(plan),
                "/__/local/slack": self._sink.page,
                "/__/local/mail": self._mail.page,
            },
            sockets=sockets.route(plan.ports.live),
            allowed={
                "connect-src": reserved.auth_url(plan),
                "img-src": f"http://{HOST}:{plan.ports.storage}",
            },
        )

    async def run(self, stopping: asyncio.Event) -> None:
        """Serve everything until `stopping` is set."""
        ports = self._plan.ports
        async with self._emulators(), contextlib.AsyncExitStack() as servers:
            await servers.enter_async_context(_serving(self._control(), ports.platform))
            await servers.enter_async_context(_serving(self._upstash.app(), ports.upstash))
            await servers.enter_async_context(_serving(self._shop.app(), ports.shop))
            await servers.enter_async_context(_serving(self._kubernetes.app(), ports.kubernetes))
            await servers.enter_async_context(_serving(self._gateway.app(), ports.gateway))
            await stopping.wait()

    @contextlib.asynccontextmanager
    async def _emulators(self) -> AsyncIterator[None]:
        await self._tasks.start(self._plan.ports.tasks)
        await self._scheduler.start(self._plan.ports.scheduler)
        await self._mail.start(self._plan.ports.mail)
        yield
        await self._mail.stop()
        await self._scheduler.stop()
        await self._tasks.stop()
        await self._relay.close()
        await self._fence.close()
        await self._upstash.close()
        await self._gateway.close()

    def _control(self) -> Starlette:
        parts = (
            *(self._issuer, self._tasks, self._scheduler, self._relay, self._sink),
            *(self._metadata, self._kubernetes),
        )
        routes = [route for part in parts for route in part.routes()]
        routes += [Route("/idle", self._idle), Route("/token", self._token)]
        return Starlette(routes=routes)

    async def _idle(self, request: Request) -> JSONResponse:
        horizon = float(request.query_params.get("horizon", "0"))
        try:
            async with asyncio.timeout(float(request.query_params.get("timeout", "30"))):
                while await self._worked(horizon):
                    pass
        except TimeoutError:
            return JSONResponse({"idle": False}, 504)
        return JSONResponse({"idle": True})

    async def _worked(self, horizon_seconds: float) -> bool:
        # What a task writes causes events, and what an event starts causes tasks: only a round in
        # which none of them did anything is the end.
        before = self._activity()
        await self._relay.settle()
        await self._tasks.idle(horizon_seconds)
        await self._scheduler.idle()
        return self._activity() != before

    def _activity(self) -> object:
        return self._relay.activity(), self._tasks.status(), self._scheduler.status()

    async def _token(self, request: Request) -> JSONResponse:
        query = request.query_params
        token = self._issuer.sign(query.get("audience", AUDIENCE), query.get("email", INVOKER))
        return JSONResponse({"token": token})


def pod_arguments(plan: Plan) -> list[str]:
    """What a pod is told of this machine beyond its Job."""
    storage = f"http://{HOST}:{plan.ports.storage}"
    return ["--local", "--storage-url", storage, "--metadata-url", plan.control_url]


class _Server(uvicorn.Server):
    # Several servers share this loop, and each would take the signals for itself.
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def _serving(app: ASGIApp, port: int) -> AsyncIterator[None]:
    config = uvicorn.Config(
        app,
        host=HOST,
        port=port,
        log_level="warning",
        access_log=False,
        # The caller's address is what the gateway reports: no header may change it.
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(_POLL_SECONDS)
    yield
    server.should_exit = True
    await task


async def _main(plan: Plan) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    await Platform(plan).run(stopping)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(_main(Plan.load(Path(sys.argv[1]))))
