"""An empty catalogue for each module, and the index check after all other tests."""

from collections.abc import Iterator

import pytest

from local.stack import Stack
from tests.integration.products.support import Shop, admin_shop


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Queries are checked against the indexes once every test has made its own."""
    items.sort(key=lambda item: item.path.name == "test_indexes.py")


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
