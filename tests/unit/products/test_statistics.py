"""When a recount says that it began."""

import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest

from shared.clients import firestore
from shared.products import statistics

BEGAN, SLOW_SECONDS = 1_000_000.0, 30.0


def test_a_recount_begins_before_it_reads_what_was_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the recount that is due for a change during that reading would find nothing to do."""
    now = BEGAN
    stored: dict[str, Any] = {}

    def read_slowly(_: object) -> list[Any]:
        nonlocal now
        now += SLOW_SECONDS
        return [SimpleNamespace(exists=True, to_dict=dict)] * 2

    def store(_: object, fields: dict[str, Any]) -> datetime:
        stored.update(fields)
        return datetime.now(UTC)

    monkeypatch.setattr(time, "time", lambda: now)
    monkeypatch.setattr(firestore, "client", MagicMock())
    monkeypatch.setattr(statistics, "_read_all", read_slowly)
    monkeypatch.setattr(statistics, "_recounted", lambda known, _: known)
    monkeypatch.setattr(firestore, "store", store)
    monkeypatch.setattr(statistics, "_take_off", lambda _: None)
    statistics.refresh()
    assert stored["counting_began_at"] == BEGAN
