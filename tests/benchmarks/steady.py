"""A process that serves one request many times in turn with hello, and counts Redis calls."""

import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.benchmarks.call import Call
from tests.benchmarks.instance import MARK, answer, application, hide

WARM_UP = 50


def main() -> None:
    """Print the CPU seconds of a request, block by block, and the Redis calls of one."""
    job = json.load(sys.stdin)
    hide(job["hidden"])
    app, call = _served(job)
    hello = partial(answer, *_served(job["hello"]))
    # The first request makes the clients, and asks for more than the later ones.
    answer(app, call)
    commands = _redis_commands(app, call)
    measured: dict[str, Callable[[], object]] = {
        "hello": hello,
        "floor": _floor(hello, commands),
        "function": partial(_hit, app, call),
    }
    for serve in measured.values():
        _block(serve, WARM_UP)
    seconds: dict[str, list[float]] = {name: [] for name in measured}
    for _ in range(job["blocks"]):
        for name, serve in measured.items():
            seconds[name].append(_block(serve, job["block_requests"]))
    told = {**seconds, "redis_calls": len(commands)}
    print(MARK + json.dumps(told), flush=True)  # noqa: T201 - read by the benchmark
    os._exit(0)


def _served(job: dict[str, Any]) -> tuple[Any, Call]:
    return application(job), Call.unpacked(job["call"])


def _floor(hello: Callable[[], object], commands: list[Any]) -> Callable[[], object]:
    """Hello that also asks Redis, through its library, what the function asks."""
    from upstash_redis import Redis

    redis = Redis.from_env(rest_encoding=None, rest_retries=0, allow_telemetry=False)

    def serve() -> None:
        hello()
        for command in commands:
            redis.execute(command)

    return serve


def _hit(app: Any, call: Call) -> None:
    if answer(app, call).get("X-Cache") != "HIT":
        sys.exit("The page has left the cache.")


def _block(serve: Callable[[], object], requests: int) -> float:
    start = time.process_time()
    for _ in range(requests):
        serve()
    return (time.process_time() - start) / requests


def _redis_commands(app: Any, call: Call) -> list[Any]:
    from upstash_redis.http import SyncHttpClient

    commands: list[Any] = []
    execute = SyncHttpClient.execute

    def recorded(self: SyncHttpClient, *args: Any, **kwargs: Any) -> Any:
        commands.append(list(kwargs["command"]))
        return execute(self, *args, **kwargs)

    SyncHttpClient.execute = recorded  # type: ignore[method-assign]
    _hit(app, call)
    SyncHttpClient.execute = execute  # type: ignore[method-assign]
    return commands


if __name__ == "__main__":
    main()
