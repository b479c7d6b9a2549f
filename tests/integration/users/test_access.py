"""Rights that change: sessions end at once, whoever is away and whatever happens at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any

import httpx
import pytest

from local.stack import Stack
from shared.clients import firestore, redis
from shared.edge.request import Actor
from shared.edge.sessions import REVOKED, copy_key
from shared.products import outbox, sweeping
from shared.users import administration, settling
from shared.users.admin_schemas import UserChange
from tests import sessions
from tests.integration.edge.instance import instance
from tests.integration.users.people import Member, Office, opened, some_address, wanted
from tests.polling import eventually


def demoted(office: Office, member: Member) -> bool:
    return office.put(member.user, role="none").status_code == 200


def owed(uid: str) -> bool:
    with firestore.errors_mapped():
        return bool(outbox.document("user", uid).get().exists)


@pytest.mark.parametrize(
    "change", [{"role": "super_admin"}, {"role": "none"}, {"disabled": True}], ids=str
)
def test_a_change_of_role_or_access_ends_every_session_at_once(
    office: Office, change: dict[str, Any]
) -> None:
    member = office.join()
    other = office.log_in(member.email)
    # Once before, so that Redis holds both copies.
    assert {office.status_of(each) for each in (member.session, other)} == {200}
    assert office.put(member.user, **change).status_code == 200
    assert {office.status_of(each) for each in (member.session, other)} == {401}


def test_another_name_ends_nothing(office: Office) -> None:
    member = office.join()
    assert office.put(member.user, name="Another Name").status_code == 200
    assert office.status_of(member.session) == 200


@pytest.mark.parametrize("accident", ["kill", "pause"])
def test_without_redis_it_says_so_and_is_finished_once_redis_is_back(
    office: Office, valkey: Any, accident: str
) -> None:
    member = office.join()
    assert office.status_of(member.session) == 200
    getattr(valkey, accident)()
    answer = office.put(member.user, role="none")
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert office.status_of(member.session) == 401
    valkey.resume()
    valkey.start()
    with instance(office.stack.environment()):
        eventually(lambda: not owed(member.uid), timeout_seconds=40)
        kept = redis.must_call(lambda r: r.get(copy_key(member.session.sid)))
    assert kept == REVOKED
    assert office.status_of(member.session) == 401


def test_what_a_crash_left_undone_is_swept_up(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = office.join()
    by = Actor(office.me, "", "user.updated", "", "")
    change = UserChange(**wanted(member.user) | {"role": "none"})
    with instance(office.stack.environment()):
        monkeypatch.setattr(settling, "settle_now", lambda _: None)
        administration.change(member.uid, change, None, by)
        assert owed(member.uid)
        assert sweeping.sweep(timedelta(0)) >= 1
        eventually(lambda: not owed(member.uid))
    assert office.status_of(member.session) == 401


def test_a_login_at_the_same_moment_leaves_no_session_of_the_old_role(office: Office) -> None:
    for _ in range(3):
        member = office.join()
        token = office.token(member.email)
        together = Barrier(6)

        def enter(token: str = token, together: Barrier = together) -> httpx.Response:
            together.wait(30)
            return sessions.send_login(office.stack, token)

        with ThreadPoolExecutor(5) as pool:
            entering = [pool.submit(enter) for _ in range(5)]
            together.wait(30)
            # Firestore may let the logins win, and refuse a change that waits for all of them.
            eventually(partial(demoted, office, member))
            answers = [each.result(60) for each in entering]
        assert {answer.status_code for answer in answers} <= {200, 401, 403}
        cookies = [a.cookies[sessions.COOKIE] for a in answers if a.status_code == 200]
        for cookie in cookies:
            with sessions.new_client(office.stack, cookie=cookie) as http:
                assert http.get("/api/products/stats").status_code == 401


def test_a_disabled_user_cannot_log_in_until_enabled_again(office: Office) -> None:
    member = office.join()
    token = office.token(member.email)
    disabled = office.put(member.user, disabled=True).json()
    answer = sessions.send_login(office.stack, token)
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (403, False)
    with pytest.raises(httpx.HTTPStatusError):
        office.token(member.email)
    assert office.put(disabled, disabled=False).status_code == 200
    assert office.status_of(office.log_in(member.email)) == 200


def test_the_profile_decides_whatever_a_token_claims(office: Office) -> None:
    member = office.join("super_admin")
    assert member.session.user["isSuperAdmin"]
    assert office.put(member.user, role="admin").status_code == 200
    assert not office.log_in(member.email).user["isSuperAdmin"]
    assert office.put(office.read(member.uid), role="none").status_code == 200
    answer = sessions.send_login(office.stack, office.token(member.email))
    assert answer.status_code == 403


def test_nobody_takes_the_role_from_himself(office: Office) -> None:
    me = office.read(office.me)
    for change in ({"role": "admin"}, {"role": "none"}, {"disabled": True}):
        assert office.put(me, **change).status_code == 409
    assert office.http.delete(f"/api/admin/users/{office.me}").status_code == 409
    assert office.put(me, avatar="owl").status_code == 200
    assert office.read(office.me)["isSuperAdmin"]


def test_two_super_admins_who_demote_each_other_cannot_both(office: Office) -> None:
    for removing in (False, True):
        one, two = office.join("super_admin"), office.join("super_admin")
        together = Barrier(2)

        def strike(
            me: Member, other: Member, together: Barrier = together, *, removing: bool = removing
        ) -> int:
            with sessions.new_client(office.stack, me.session) as http:
                together.wait(30)
                path = f"/api/admin/users/{other.uid}"
                if removing:
                    return http.delete(path).status_code
                return http.put(path, json=wanted(other.user) | {"role": "none"}).status_code

        with ThreadPoolExecutor(2) as pool:
            struck = [pool.submit(strike, one, two), pool.submit(strike, two, one)]
            statuses = sorted(each.result(60) for each in struck)
        assert statuses[0] in (200, 204)
        assert statuses[1] in (401, 403, 409)
        alive = [office.status_of(each.session) for each in (one, two)]
        assert sorted(alive) == [200, 401]


def test_a_super_admin_without_a_place_in_the_roster_changes_nothing(stack: Stack) -> None:
    with opened(stack) as office:
        member = office.join("super_admin")
        with sessions.new_client(stack, member.session) as http, instance(stack.environment()):
            roster = firestore.client().document("user_rosters/super_admins")
            roster.update({"uids": [office.me]})
            body = {"email": some_address(), "role": "admin"}
            assert http.post("/api/admin/create-user", json=body).status_code == 403
            path = f"/api/admin/users/{office.me}"
            assert http.delete(path).status_code == 403
