"""What a pod may say: nothing that no document can hold, and no figure that cannot be."""

from typing import Any

import msgspec
import pytest

from shared.crawling.background_schemas import PodReport
from shared.crawling.results import Counts, Row, StoredRows

PROGRESS = {
    "pages_done": 1,
    "pages_known": 9,
    "products_found": 1,
    "pages_per_second": 1.5,
    "seconds_left": None,
}
RESULT = {"ending": "completed", "whole": True, "rows": 3}
HOST = {"host": "shop.example"}
ROW = {"url": "u", "name": "n", "price_minor": 1, "currency": "LKR", "source": "css"}
STORED = {"name": "n", "size_bytes": 1, "sha256": "", "rows": 1}


def report(**more: Any) -> bytes:
    return msgspec.json.encode({"token": 1, **more})


def test_what_a_pod_says_is_read() -> None:
    told = report(progress=PROGRESS, result=RESULT, hosts=[HOST], failed="x" * 500)
    assert msgspec.json.decode(told, type=PodReport).hosts[0].host == "shop.example"


@pytest.mark.parametrize("wrong", [-1, 2**53 + 1, 2**63, 10**30])
@pytest.mark.parametrize(
    ("part", "field"),
    [
        *((PROGRESS, name) for name in ("pages_done", "pages_known", "pages_failed")),
        *((PROGRESS, name) for name in ("products_found", "pages_per_second", "seconds_left")),
        (RESULT, "rows"),
        *((HOST, name) for name in ("delay_seconds", "rest_seconds")),
    ],
)
def test_a_figure_that_cannot_be_is_refused(part: dict[str, Any], field: str, wrong: float) -> None:
    name = "progress" if part is PROGRESS else "result" if part is RESULT else "hosts"
    said: Any = {**part, field: wrong}
    with pytest.raises(msgspec.ValidationError, match=field):
        msgspec.json.decode(report(**{name: [said] if part is HOST else said}), type=PodReport)


@pytest.mark.parametrize(
    "more",
    [
        {"token": 10**12},
        {"failed": "x" * 501},
        {"result": {**RESULT, "detail": "x" * 501}},
        {"hosts": [{"host": "x" * 301}]},
        {"hosts": [{"host": ""}]},
        {"hosts": [HOST] * 21},
    ],
)
def test_a_word_that_is_too_long_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(report(**more), type=PodReport)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({**ROW, "price_minor": 2**63}, Row),
        ({**ROW, "was_minor": -(2**63)}, Row),
        ({**ROW, "currency": "x" * 101}, Row),
        ({**STORED, "size_bytes": -1}, StoredRows),
        ({**STORED, "rows": 2**63}, StoredRows),
        ({"pages_done": 2**63}, Counts),
    ],
)
def test_what_a_pod_stores_is_bounded_too(said: dict[str, Any], kind: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(said), type=kind)
