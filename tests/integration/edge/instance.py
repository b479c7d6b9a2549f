"""This process in the place of a function's instance: with its settings, its clients made anew."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import firebase_admin
import pytest
from flask.testing import FlaskClient
from functions_framework import create_app

from local.plan import ROOT
from local.stack import Stack
from shared import config, logs
from shared.clients import firestore, identity, kubernetes, redis, scheduler, storage, tasks
from shared.edge import activity, address, cache, internal, limits

TOYS = Path(__file__).with_name("toys.py")
_CACHES: tuple[Any, ...] = (
    config.settings,
    logs.set_up,
    firestore.client,
    redis.client,
    scheduler.client,
    storage.client,
    tasks.client,
    identity._app,
    kubernetes._api,
    address._trusted,
    internal._keys,
    limits._limiter,
)


def begin_anew() -> None:
    """Forgets what an instance keeps between calls, as the start of another one does."""
    for cached in _CACHES:
        cached.cache_clear()
    limits._counts.clear()
    cache._last_seen.clear()
    activity._noted = activity.Noted()
    redis._resting_until = 0.0
    for app in list(firebase_admin._apps.values()):
        firebase_admin.delete_app(app)


@contextmanager
def _logging_as_before() -> Iterator[None]:
    """What a function set up of our log lines does not outlive it."""
    ours = logging.getLogger("shared")
    before = (ours.level, ours.handlers, ours.propagate)
    try:
        yield
    finally:
        ours.setLevel(before[0])
        ours.handlers, ours.propagate = before[1:]


@contextmanager
def instance(environment: Mapping[str, str], **changes: str | None) -> Iterator[None]:
    """The environment of a function, and nothing kept from what this process did before."""
    with pytest.MonkeyPatch.context() as patch, _logging_as_before():
        for name, value in {**environment, **changes}.items():
            if value is None:
                patch.delenv(name, raising=False)
            else:
                patch.setenv(name, value)
        begin_anew()
        try:
            yield
        finally:
            begin_anew()


@contextmanager
def served(
    stack: Stack, name: str, source: Path = TOYS, **changes: str | None
) -> Iterator[FlaskClient]:
    """One function served as Google's framework serves it, with no front of any kind before it."""
    with instance(stack.environment(), **changes):
        app = create_app(name, str(source), "http")  # type: ignore[no-untyped-call]
        with app.test_client(use_cookies=False) as client:
            yield client


def codebase(name: str) -> Path:
    return ROOT / "functions" / name / "main.py"
