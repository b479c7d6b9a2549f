"""The local cloud for every test that wants it: one for the whole run, on free ports."""

import os
from collections.abc import Iterator

import pytest

from local.stack import Stack
from tests.stacks import running_stack

# The stack forks to start its parts again, and what gRPC does in a fork has kept one from starting.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running local cloud, which refuses no query until its end."""
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running
