"""An OpenSearch for tests, as the product's own client reaches it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from osmem_server import OsmemServer  # type: ignore[import-untyped]

from local.plan import ROOT
from shared.clients import opensearch
from shared.config import settings
from tests.integration.products.support import Shop

SETTINGS = {"FIREBASE_PROJECT_ID": "demo-unit", "SECRET_KEY": "x" * 32}


@contextmanager
def started(address: str | None = None) -> Iterator[OsmemServer]:
    """A server with nothing in it, at `address` or anywhere."""
    with OsmemServer.start(japanese=False, addr=address) as server:
        yield server


@contextmanager
def configured(url: str) -> Iterator[None]:
    """This process's settings name the server at `url`."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (SETTINGS | {"OPENSEARCH_URL": url}).items():
            patch.setenv(name, value)
        _forget()
        yield
    _forget()


@contextmanager
def serving(shop: Shop, url: str) -> Iterator[None]:
    """The functions search in the server at `url`, whose index holds what the catalogue does."""
    fill(shop, url)
    shop.stack.restart_functions(OPENSEARCH_URL=url)
    try:
        yield
    finally:
        shop.stack.restart_functions()


def fill(shop: Shop, url: str, *arguments: str) -> str:
    """What the command says that puts a catalogue into the search."""
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-m", "tools.index_products", *arguments],
        cwd=ROOT,
        env=os.environ | shop.stack.environment() | {"OPENSEARCH_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    return f"{done.returncode}\n{done.stdout}{done.stderr}"


def _forget() -> None:
    settings.cache_clear()
    opensearch.client.cache_clear()
    opensearch._resting_until = 0.0
