"""A process that serves one request many times in turn with hello, and counts Redis calls."""

import json
import os
import sys
import time
from typing import Any

from tests.benchmarks.call import Call
from tests.benchmarks.instance import MARK, answer, application, hide

WARM_UP = 50


def main() -> None:
    """Print the CPU seconds of a request, block by block, and the Redis calls of one."""
    job = json.load(sys.stdin)
    hide(job["hidden"])
    served = {"hello": _served(job["hello"]), "function": _served(job)}
    for app, call in served.values():
        _block(app, call, WARM_UP)
    seconds: dict[str, list[float]] = {name: [] for name in served}
    for _ in range(job["blocks"]):
        for name, (app, call) in served.items():
            seconds[name].append(_block(app, call, job["block_requests"]))
    app, call = served["function"]
    told = {**seconds, "redis_calls": _redis_calls(app, call)}
    print(MARK + json.dumps(told), flush=True)  # noqa: T201 - read by the benchmark
    os._exit(0)


def _served(job: dict[str, Any]) -> tuple[Any, Call]:
    return application(job), Call.unpacked(job["call"])


def _block(app: Any, call: Call, requests: int) -> float:
    start = time.process_time()
    for _ in range(requests):
        headers = answer(app, call)
        if headers.get("X-Cache", "HIT") != "HIT":
            sys.exit("The page has left the cache.")
    return (time.process_time() - start) / requests


def _redis_calls(app: Any, call: Call) -> int:
    from upstash_redis.http import SyncHttpClient

    calls = 0
    execute = SyncHttpClient.execute

    def counted(self: SyncHttpClient, *args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        return execute(self, *args, **kwargs)

    SyncHttpClient.execute = counted  # type: ignore[method-assign]
    answer(app, call)
    return calls


if __name__ == "__main__":
    main()
