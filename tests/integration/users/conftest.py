"""The administration of users for each module, with nobody known but the demo accounts."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.firestore import clear_documents
from local.stack import Stack
from tests.integration.users.people import Office, opened


@pytest.fixture(scope="module")
def office(stack: Stack) -> Iterator[Office]:
    clear_documents(stack.plan)
    with opened(stack) as office:
        yield office


@pytest.fixture
def valkey(stack: Stack) -> Iterator[Any]:
    """Redis itself, to be broken; whole again after the test."""
    part = stack.part("valkey")
    yield part
    part.resume()
    part.start()
