"""Settings for the parts of the edge that read them, with no service behind them."""

from collections.abc import Callable, Iterator

import pytest

from shared import config
from shared.clients import redis
from shared.edge import address, limits

SECRET = "a-secret-key-for-tests-of-32-characters"
Configure = Callable[..., None]


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Iterator[Configure]:
    """Sets the environment; what was made of an earlier one is forgotten, then and at the end."""

    def forget() -> None:
        for cached in (config.settings, redis.client, address._trusted, limits._limiter):
            cached.cache_clear()
        limits._counts.clear()

    def change(**environment: str) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        forget()

    for name in ("UPSTASH_REDIS_REST_URL", "TRUSTED_PROXIES", "RATE_LIMIT_SCALE"):
        monkeypatch.delenv(name, raising=False)
    change(FIREBASE_PROJECT_ID="demo-unit", SECRET_KEY=SECRET)
    yield change
    monkeypatch.undo()
    forget()
