"""Limits of one instance, where there is no Redis to count in."""

import time

import pytest

from shared.edge import limits
from shared.edge.declaration import LimitClass
from shared.errors import LimitExceeded
from tests.unit.edge.conftest import Configure


@pytest.fixture
def _same_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_000_000_030.0)


@pytest.mark.usefixtures("_same_minute")
def test_authentication_is_limited_within_the_instance(configure: Configure) -> None:
    configure()
    taken = [limits.take("authentication", "login", "203.0.113.9") for _ in range(6)]
    assert [each.remaining for each in taken] == [4, 3, 2, 1, 0, 0]
    assert [each.allowed for each in taken] == [True] * 5 + [False]
    with pytest.raises(LimitExceeded) as caught:
        taken[-1].check()
    assert 1 <= caught.value.retry_after_seconds <= 60


@pytest.mark.usefixtures("_same_minute")
def test_callers_and_functions_are_counted_apart(configure: Configure) -> None:
    configure()
    for _ in range(6):
        limits.take("authentication", "login", "203.0.113.9")
    assert limits.take("authentication", "login", "203.0.113.10").allowed
    assert limits.take("authentication", "other", "203.0.113.9").allowed
    assert not limits.take("authentication", "login", "203.0.113.9").allowed


def test_a_new_minute_is_a_new_window(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure()
    monkeypatch.setattr(time, "time", lambda: 1_000_000_030.0)
    for _ in range(6):
        limits.take("authentication", "login", "x")
    monkeypatch.setattr(time, "time", lambda: 1_000_000_090.0)
    assert limits.take("authentication", "login", "x").remaining == 4


@pytest.mark.parametrize("limit", ["standard", "heavy"])
def test_other_limits_fail_open(configure: Configure, limit: LimitClass) -> None:
    configure()
    taken = [limits.take(limit, "products", "uid") for _ in range(150)]
    assert all(each.allowed for each in taken)
    assert taken[-1].headers()["X-RateLimit-Limit"] == str(limits.PER_MINUTE[limit])


def test_the_number_of_callers_that_are_remembered_is_bounded(configure: Configure) -> None:
    configure()
    for number in range(limits.MAX_CALLERS + 10):
        limits.take("authentication", "login", str(number))
    assert len(limits._counts) <= limits.MAX_CALLERS


def test_the_scale_stretches_every_limit(configure: Configure) -> None:
    configure(RATE_LIMIT_SCALE="0.001")
    assert limits.per_minute("standard") == 1
    configure(RATE_LIMIT_SCALE="3")
    assert limits.per_minute("authentication") == 15
