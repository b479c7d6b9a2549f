"""The local cloud for every test that wants it: one for the whole run, on free ports."""

import os
from collections.abc import Iterator

import pytest

from local.plan import Plan
from local.ports import Ports
from local.prepare import prepare
from local.stack import Stack

# The stack forks to start its parts again, and what gRPC does in a fork has kept one from starting.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running local cloud with queues, jobs and accounts; its rate limits never bite."""
    plan = Plan(
        Ports.free(), tmp_path_factory.mktemp("stack"), settings={"RATE_LIMIT_SCALE": "1000"}
    )
    with Stack(plan) as running:
        prepare(running)
        yield running
