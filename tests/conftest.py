"""The local cloud for every test that wants it: one for the whole run, on free ports."""

import gc
import os
from collections.abc import Iterator

import pytest

from local.stack import Stack
from tests.stacks import running_stack

# The stack forks to start its parts again, and what gRPC does in a fork has kept one from starting.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

# While tests are collected next to nothing becomes garbage, and looking for it took 3 s of 11.
gc.set_threshold(50_000)

# What fails at a fixture's end (a query without an index) shows only after a whole run.
_FAILED_AT_AN_END = 10


def pytest_collection_finish() -> None:
    """Look for no garbage among what was collected, which stays to the end."""
    gc.freeze()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell `make test` whether what failed would fail again by itself."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    errors = reporter.stats.get("error", []) if reporter else []
    if any(error.when == "teardown" for error in errors):
        session.exitstatus = _FAILED_AT_AN_END


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running local cloud, which refuses no query until its end."""
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running
