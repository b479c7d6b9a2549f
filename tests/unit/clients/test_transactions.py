"""A transaction that meets another's locks, wherever it does, begins again a few times."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from google.api_core.exceptions import Aborted
from google.auth.credentials import AnonymousCredentials
from google.cloud.firestore import Client, Transaction

from shared.clients import firestore
from shared.errors import Conflict

LOCKED = Aborted("Transaction lock timeout.")  # type: ignore[no-untyped-call]


class Calls:
    """The service, in which each commit does what `commit` says."""

    def __init__(self, commit: Callable[[], None] = lambda: None) -> None:
        self.begun = 0
        self._commit = commit

    def begin_transaction(self, **_: object) -> object:
        self.begun += 1
        return SimpleNamespace(transaction=b"one")

    def commit(self, **_: object) -> object:
        self._commit()
        return SimpleNamespace(write_results=[], commit_time=None)

    def rollback(self, **_: object) -> None:
        pass


def use(monkeypatch: pytest.MonkeyPatch, calls: Calls) -> None:
    client = Client(
        project="shopple-test",
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
    )
    client._firestore_api_internal = calls
    monkeypatch.setattr(firestore, "client", lambda: client)
    monkeypatch.setattr(firestore, "FIRST_WAIT_SECONDS", 0.0)


def reads_locked(times: int) -> Callable[[Transaction], int]:
    left = [LOCKED] * times

    def run(_: Transaction) -> int:
        if left:
            raise left.pop()
        return 7

    return run


@pytest.mark.parametrize("times", [0, 1, firestore.READ_ATTEMPTS])
def test_a_read_that_meets_a_lock_begins_again(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    calls = Calls()
    use(monkeypatch, calls)
    assert firestore.in_transaction(reads_locked(times)) == 7
    assert calls.begun == times + 1


def test_who_meets_locks_again_and_again_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Calls()
    use(monkeypatch, calls)
    with pytest.raises(Conflict):
        firestore.in_transaction(reads_locked(firestore.READ_ATTEMPTS + 1))
    assert calls.begun == firestore.READ_ATTEMPTS + 1


def test_commits_begin_again_by_the_library_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise LOCKED

    calls = Calls(fail)
    use(monkeypatch, calls)
    with pytest.raises(Conflict):
        firestore.in_transaction(lambda _: 7)
    assert calls.begun == 5
