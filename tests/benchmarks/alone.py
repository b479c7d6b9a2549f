"""One function in a process of its own, served as Google's framework serves it there."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from local.plan import ROOT
from local.ports import HOST, free_port
from local.process import die_with_parent
from tests.benchmarks.call import Call
from tests.benchmarks.cloud import Cloud
from tests.polling import eventually
from tools.declarations import declared

_START_SECONDS = 60


@contextmanager
def alone(cloud: Cloud, name: str) -> Iterator[Callable[[Call], httpx.Response]]:
    """A way to send it requests, without a gateway between; raises if one is no success."""
    (codebase,) = (each.codebase for each in declared() if each.function.name == name)
    port = free_port()
    arguments = ["--target", name, "--source", "main.py", "--host", HOST, "--port", str(port)]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "PYTHONPATH": str(ROOT),
        "FUNCTION_TARGET": name,
        **cloud.environment(),
    }
    with (
        tempfile.TemporaryFile() as output,
        httpx.Client(base_url=f"http://{HOST}:{port}", timeout=120, trust_env=False) as http,
        subprocess.Popen(  # noqa: S603 - our own code
            [sys.executable, "-m", "functions_framework", *arguments],
            cwd=Path(ROOT, "functions", codebase),
            env=environment,
            stdout=output,
            stderr=output,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call, no locks
        ) as served,
    ):
        try:
            eventually(lambda: _answers(http), timeout_seconds=_START_SECONDS)
            yield lambda call: http.request(
                call.method, call.path, params=call.query, headers=call.headers, content=call.body
            ).raise_for_status()
        finally:
            served.terminate()


def _answers(http: httpx.Client) -> bool:
    try:
        http.get("/")
    except httpx.TransportError:
        return False
    return True
