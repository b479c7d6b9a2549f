"""Books that hold whatever is asked of them, for tests that have no database."""

import pytest

from shared.ai_models import Model
from shared.classification import spending
from shared.classification.spending import Reservation
from shared.clock import utc_now


@pytest.fixture(autouse=True)
def _boundless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spending, "reserve", _hold)
    monkeypatch.setattr(spending, "settle", lambda _held, _micros: True)
    monkeypatch.setattr(spending, "release", lambda _held: None)


def _hold(model: Model, micros: int) -> Reservation:
    return Reservation("call", model.provider, "2026-01-01", 0, micros, utc_now())
