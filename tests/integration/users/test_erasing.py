"""Erasing page by page: cut off anywhere, it goes on where it stopped."""

from datetime import timedelta
from typing import Any

import pytest

from local.stack import Stack
from shared.clients import firestore
from shared.clock import utc_now
from shared.edge.request import Actor
from shared.errors import DependencyUnavailable
from shared.system import audit
from shared.users import erasing, erasures, settling
from tests.integration.edge.instance import instance

UID = "erasedPageByPage0000"
ENTRIES = 7


def entries() -> dict[str, Any]:
    found = firestore.client().collection(audit.COLLECTION).stream()
    known = {each.id: each.to_dict() or {} for each in found}
    return {name: fields for name, fields in known.items() if fields["actor"] == UID}


@pytest.fixture
def removed(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A user who was removed with more behind him than fits into a page."""
    monkeypatch.setattr(erasing, "PAGE_ROWS", 3)
    with instance(stack.environment()):
        database, now = firestore.client(), utc_now()
        by = Actor(UID, "ghost@people.test", "note.created", "203.0.113.7", "r")
        for number in range(ENTRIES):
            moment = now - timedelta(minutes=number)
            reference, fields = audit.entry(by, f"notes/{number}", None, None)
            reference.set(fields | {"at": moment})
            database.document(f"notes/{UID}{number}").set({"uid": UID})
        database.document(f"users/{UID}").delete()
        erasures.reference(UID).set(erasures.fields(now))
        yield
        database.document(f"{erasures.COLLECTION}/{UID}").delete()


@pytest.mark.usefixtures("removed")
def test_what_was_cut_off_is_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    real = erasures.update

    def cut_off(uid: str, change: dict[str, Any]) -> None:
        real(uid, change)
        raise DependencyUnavailable

    monkeypatch.setattr(erasures, "update", cut_off)
    with pytest.raises(DependencyUnavailable):
        erasing.finish(UID)
    pseudonym = erasures.pseudonym(UID)
    assert [e["actor_email"] for e in entries().values()].count(pseudonym) == erasing.PAGE_ROWS
    begun = erasures.read(UID)
    assert begun is not None
    assert begun.done_at is None
    assert set(begun.reached) == {"actor"}

    monkeypatch.setattr(erasures, "update", real)
    erasing.finish(UID)
    known = entries()
    assert len(known) == ENTRIES
    assert {(e["actor_email"], e["address"]) for e in known.values()} == {(pseudonym, "")}
    assert {e["resource"] for e in known.values()} == {f"notes/{n}" for n in range(ENTRIES)}
    assert not list(erasing.activity_of(UID).stream())
    notes = firestore.client().collection("notes").stream()
    assert not [each for each in notes if each.get("uid") == UID]
    done = erasures.read(UID)
    assert done is not None
    assert done.done_at is not None


@pytest.mark.usefixtures("removed")
def test_it_is_not_done_before_the_late_pass_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    real = settling.request

    def cut_off(*_: Any, **__: Any) -> None:
        raise DependencyUnavailable

    monkeypatch.setattr(settling, "request", cut_off)
    with pytest.raises(DependencyUnavailable):
        erasing.finish(UID)
    begun = erasures.read(UID)
    assert begun is not None
    assert begun.done_at is None

    asked: list[float] = []

    def request(uid: str, **named: Any) -> None:
        real(uid, **named)
        asked.append(named["delay_seconds"])

    monkeypatch.setattr(settling, "request", request)
    for _ in range(2):
        erasing.finish(UID)
    done = erasures.read(UID)
    assert done is not None
    assert done.done_at is not None
    assert asked == [erasing.LATE_SECONDS]
