"""The users' activity, empty for each module."""

from collections.abc import Iterator

import pytest

from local.stack import Stack
from tests.integration.products.support import Shop, admin_shop


@pytest.fixture(scope="module")
def shop(stack: Stack) -> Iterator[Shop]:
    """An empty database and an admin's session."""
    opened = admin_shop(stack)
    yield opened
    opened.http.close()
    opened.database.close()  # type: ignore[no-untyped-call]
