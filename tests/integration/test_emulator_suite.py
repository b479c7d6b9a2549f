"""The Firebase emulator suite on the repository's own firebase.json, with what stands beside it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from local.plan import PROJECT, ROOT
from local.ports import HOST, Ports, PortsTaken
from local.stack import Stack
from tests import sessions
from tests.integration.products.support import good
from tests.polling import eventually
from tools.declarations import codebases, names
from tools.emulators import plan_for

# The Firebase CLI gives up on a codebase that a busy machine is slow to load, and goes on without.
pytestmark = pytest.mark.alone

START_SECONDS = 240
STOP_SECONDS = 60
CALL_SECONDS = 60


@pytest.fixture(scope="module")
def ports() -> Ports:
    return Ports.free()


@pytest.fixture(scope="module")
def suite(ports: Ports, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What the running suite has printed; at its end nothing of it is left."""
    subprocess.run([sys.executable, "-m", "tools.bundle"], cwd=ROOT, check=True)
    printed = tmp_path_factory.mktemp("suite") / "printed"
    chosen = {f.metadata["variable"]: str(getattr(ports, f.name)) for f in fields(ports)}
    with printed.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tools.emulators"],
            cwd=ROOT,
            env=os.environ | chosen,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        eventually(lambda: is_ready(process, printed), timeout_seconds=START_SECONDS)
        yield printed
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(STOP_SECONDS)
    assert process.returncode == 0
    eventually(lambda: are_free(ports))


def are_free(ports: Ports) -> bool:
    try:
        ports.check()
    except PortsTaken:
        return False
    return True


def is_ready(process: "subprocess.Popen[bytes]", printed: Path) -> bool:
    assert process.poll() is None, printed.read_text()
    return "Ctrl-C stops everything" in printed.read_text()


@pytest.fixture(scope="module")
def cloud(suite: Path, ports: Ports) -> Stack:
    """As much of a stack as signing in needs."""
    plan = plan_for(ports, suite.parent)
    return cast(Stack, SimpleNamespace(plan=plan, environment=plan.environment))


def test_every_codebase_is_loaded_whole(suite: Path) -> None:
    told = suite.read_text()
    for codebase in codebases():
        assert f"{codebase:<10} {len(names(codebase)):3} functions" in told
    assert "could not be loaded" not in told


def test_hosting_leads_to_the_functions(cloud: Stack) -> None:
    answer = httpx.get(f"{cloud.plan.origin}/health", timeout=CALL_SECONDS, trust_env=False)
    assert answer.json()["status"] == "healthy"


def test_a_change_travels_through_its_trigger_and_its_task(cloud: Stack, ports: Ports) -> None:
    with sessions.new_client(cloud, sessions.log_in(cloud)) as http:
        http.timeout = httpx.Timeout(CALL_SECONDS)
        listed = good(http.get("/api/products", params={"limit": 1}))
        assert listed["total"] > 2000
        product = listed["products"][0]
        kept = ("name", "brand", "category", "price", "currency")
        body = {name: product[name] for name in kept} | {"size": "17 kg"}
        changed = good(http.put(f"/api/products/{product['id']}", json=body))
        assert changed["size"] == "17 kg"
        listed = good(http.get("/api/products", params={"sort": "-updated_at"}))
        assert listed["products"][0]["size"] == "17 kg"
    # What the change owed was written with it; the task that follows it takes it away.
    debt = f"projects/{PROJECT}/databases/(default)/documents/outbox/product-{product['id']}"
    url = f"http://{HOST}:{ports.firestore}/v1/{debt}"
    eventually(lambda: status(url) == httpx.codes.NOT_FOUND, timeout_seconds=CALL_SECONDS)


def status(url: str) -> int:
    with suppress(httpx.TransportError):
        headers = {"Authorization": "Bearer owner"}
        answer: Any = httpx.get(url, headers=headers, timeout=CALL_SECONDS, trust_env=False)
        return int(answer.status_code)
    return 0
