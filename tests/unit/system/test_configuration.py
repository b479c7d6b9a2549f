"""The settings that may change at run time: what is refused, and what an old document lacks."""

from typing import Any

import msgspec
import pytest

from shared.edge.request import Actor
from shared.edge.validation import to_type
from shared.errors import Invalid
from shared.system import configuration
from shared.system.configuration_records import DEFAULTS, Configuration

BY = Actor("uid", "a@shopple.test", "configuration.updated", "", "")


def body(section: str | None = None, **changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(DEFAULTS)
    (fields[section] if section else fields).update(changes)
    return fields


def test_the_defaults_are_valid() -> None:
    assert to_type(body(), Configuration) == DEFAULTS


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (body("thresholds", duplicate_confidence=101), "thresholds.duplicate_confidence"),
        (body("thresholds", review_confidence=-1), "thresholds.review_confidence"),
        (body("retention_days", results=0), "retention_days.results"),
        (body("retention_days", sessions="7"), "retention_days.sessions"),
        (body("auto_approval", enabled=1), "auto_approval.enabled"),
        (body("auto_approval", retailers=["keells", "Keells"]), "auto_approval.retailers[1]"),
        (body("auto_approval", colour="red"), "auto_approval.colour"),
        (body(provider_order=[]), "provider_order"),
        (body(provider_order=["groq", "clippy"]), "provider_order[1]"),
        (body(colour="red"), "colour"),
        ({k: v for k, v in body().items() if k != "thresholds"}, "thresholds"),
    ],
)
def test_a_wrong_setting_is_named(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        to_type(wrong, Configuration)
    assert [error.field for error in refused.value.errors] == [field]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (body(provider_order=["groq", "local", "groq"]), "provider_order[2]"),
        (body("auto_approval", retailers=["a", "a"]), "auto_approval.retailers[1]"),
    ],
)
def test_what_is_named_twice_is_refused(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        configuration.change(to_type(wrong, Configuration), None, BY)
    assert [error.field for error in refused.value.errors] == [field]


def test_settings_younger_than_the_stored_document_have_their_defaults() -> None:
    stored = body("auto_approval", enabled=True)
    del stored["retention_days"]
    del stored["auto_approval"]["retailers"]
    stored["of_a_later_release"] = 1

    read = configuration._configuration(stored)

    assert read.auto_approval.enabled
    assert read.auto_approval.retailers == []
    assert read.retention_days == DEFAULTS.retention_days
