"""A user's day is noted where a session is opened or renewed, once, and fails nobody."""

import secrets
import time
from datetime import UTC, date, datetime, timedelta

import pytest

from local.accounts import Account, create
from local.stack import Stack
from shared.clock import Clock
from shared.edge import activity
from shared.edge import sessions as edge_sessions
from shared.edge.request import Session
from tests import sessions
from tests.integration.edge.instance import instance
from tests.integration.products.support import WRITES, Json, Shop
from tests.polling import eventually

PATH = "/api/products/stats"


def today() -> date:
    return datetime.now(UTC).date()


def stopped(moment: datetime) -> Clock:
    """A clock that says no other moment."""
    return lambda: moment


def newcomer(stack: Stack) -> tuple[Account, str]:
    """An admin who never signed in, and his uid."""
    account = Account(f"{secrets.token_hex(5)}@shopple.test", {"admin": True}, "New Comer")
    uid = create(stack.environment()["FIREBASE_AUTH_EMULATOR_HOST"], account)
    return account, uid


def notes_of(shop: Shop, uid: str) -> list[Json]:
    found = shop.documents(activity.COLLECTION).values()
    return [each for each in found if each["uid"] == uid]


def due(shop: Shop) -> list[str]:
    """The names of the recounts that are due."""
    program = (
        "from shared.clients import tasks\n"
        "for each in tasks.client().list_tasks(parent=tasks.queue_path('statistics')):\n"
        "    print(each.name.rpartition('/')[2])"
    )
    return shop.run(program).split()


def test_a_day_is_noted_once_however_often_the_session_is_renewed(shop: Shop) -> None:
    account, uid = newcomer(shop.stack)
    before = int(datetime.now(UTC).timestamp() * 1e6)
    session = sessions.log_in(shop.stack, account)
    (first,) = notes_of(shop, uid)
    assert first["day"] == str(today())
    assert first["first_at_micros"] == first["last_at_micros"] >= before
    for _ in range(3):
        old = sessions.grown_old(shop.stack, session, seconds_left=50 * 60)
        with sessions.new_client(shop.stack, cookie=old) as http:
            answer = http.get(PATH)
        assert "Set-Cookie" in answer.headers
        # The session's new end; the instance knows that the user was noted.
        assert answer.headers[WRITES] == "1"
    assert notes_of(shop, uid) == [first]


def test_a_renewal_notes_who_came_in_before(shop: Shop) -> None:
    account, uid = newcomer(shop.stack)
    session = sessions.log_in(shop.stack, account)
    document = shop.database.document(f"{activity.COLLECTION}/{today()}_{uid}")
    document.delete()
    open_session = Session(
        id=session.sid,
        uid=uid,
        email=account.email,
        admin=True,
        super_admin=False,
        expires_at=time.time() + 600,
    )
    # An instance that did not see the login.
    with instance(shop.stack.environment()):
        assert edge_sessions.renewed(open_session, time.time())
    assert document.get().exists


def test_a_call_that_renews_nothing_notes_nothing(shop: Shop) -> None:
    account, uid = newcomer(shop.stack)
    session = sessions.log_in(shop.stack, account)
    document = shop.database.document(f"{activity.COLLECTION}/{today()}_{uid}")
    document.delete()
    with sessions.new_client(shop.stack, session) as http:
        answer = http.get(PATH)
    assert answer.headers[WRITES] == "0"
    assert not document.get().exists


def test_notes_of_many_instances_come_to_the_same_in_any_order(shop: Shop) -> None:
    uid = secrets.token_hex(8)
    morning = datetime(2026, 1, 1, 6, tzinfo=UTC)
    for hours in (5, 0, 9, 0, 5):
        with instance(shop.stack.environment()):
            activity.note(uid, stopped(morning + timedelta(hours=hours)))
    (noted,) = notes_of(shop, uid)
    span = noted["last_at_micros"] - noted["first_at_micros"]
    assert span == timedelta(hours=9) / timedelta(microseconds=1)


def test_the_next_day_is_another_document(shop: Shop) -> None:
    uid = secrets.token_hex(8)
    night = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
    with instance(shop.stack.environment()):
        for minutes in (0, 0, 2):
            activity.note(uid, stopped(night + timedelta(minutes=minutes)))
    assert sorted(each["day"] for each in notes_of(shop, uid)) == ["2026-12-31", "2027-01-01"]


def test_a_database_that_is_away_fails_nobody(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    with instance(shop.stack.environment(), FIRESTORE_EMULATOR_HOST="127.0.0.1:1"):
        activity.note("somebody")
        assert [record.message for record in caplog.records] == ["A user's activity was not noted"]
        # It is tried again, at the next renewal.
        activity.note("somebody")
    assert len(caplog.records) == 2


def test_a_new_day_asks_for_a_recount(shop: Shop) -> None:
    account, _ = newcomer(shop.stack)
    sessions.log_in(shop.stack, account)
    assert eventually(lambda: [n for n in due(shop) if n.startswith("insights-")])
