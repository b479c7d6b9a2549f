"""What is handed over, where the database is of no help: nobody's classification fails of it."""

import logging
from datetime import datetime, timedelta
from unittest.mock import MagicMock

import pytest
from google.api_core.exceptions import Aborted, DeadlineExceeded, GoogleAPICallError, NotFound

from shared.classification import artefacts
from shared.clients import firestore
from shared.clock import utc_now

FAILURES = [Aborted(""), NotFound(""), DeadlineExceeded("")]  # type: ignore[no-untyped-call]


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> MagicMock:
    """A database as the client shows it."""
    database = MagicMock()
    monkeypatch.setattr(firestore, "client", lambda: database)
    return database


@pytest.mark.parametrize("failure", FAILURES, ids=lambda each: type(each).__name__)
def test_what_cannot_be_handed_over_or_read_is_a_warning_and_no_more(
    database: MagicMock, caplog: pytest.LogCaptureFixture, failure: GoogleAPICallError
) -> None:
    database.batch().commit.side_effect = failure
    database.collection().document().get.side_effect = failure
    with caplog.at_level(logging.WARNING):
        artefacts.write("local", "a", b"lesson", 600.0)
        assert artefacts.read("local", "a") is None
    assert [each.message for each in caplog.records] == ["An artefact is not at hand"] * 2


def test_nobody_waits_long_and_what_is_left_of_a_larger_one_goes_by_itself(
    database: MagicMock,
) -> None:
    began = utc_now()
    artefacts.write("local", "a", bytes(artefacts.PART_BYTES + 1), 600.0, now=lambda: began)
    assert database.batch().commit.call_args.kwargs == {"timeout": 3.0, "retry": None}
    written = [call.args[1] for call in database.batch().set.call_args_list]
    assert [each["expires_at"] for each in written] == [began + artefacts.KEPT] * 2


@pytest.mark.parametrize(("least_seconds", "is_read"), [(299.0, True), (301.0, False)])
def test_what_is_not_newer_than_what_is_at_hand_is_not_read(
    monkeypatch: pytest.MonkeyPatch, least_seconds: float, *, is_read: bool
) -> None:
    made_at = utc_now()
    head = artefacts._Head("a", "v", made_at, 600.0, 1, b"lesson", made_at + artefacts.KEPT)
    monkeypatch.setattr(artefacts, "_head", lambda _name: head)

    def now() -> datetime:
        return made_at + timedelta(seconds=300)

    found = artefacts.read("local", "a", least_seconds=least_seconds, now=now)
    assert (found is not None) is is_read
