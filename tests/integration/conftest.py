"""An empty catalogue for each module."""

from collections.abc import Iterator

import pytest

from local.stack import Stack
from tests.integration.products.support import Shop, admin_shop


@pytest.fixture(scope="module")
def shop(stack: Stack) -> Iterator[Shop]:
    """The catalogue, empty when the module begins, without accidents when it has ended."""
    opened = admin_shop(stack)
    yield opened
    for part in stack.parts:
        part.resume()
        part.start()
    stack.control.reset_events()
    opened.http.close()
    opened.database.close()  # type: ignore[no-untyped-call]
