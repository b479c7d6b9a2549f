"""Users: invited by mail, listed, changed, handed their data, and erased."""

import json
from typing import Any

import httpx
import pytest

from local.accounts import Account, create
from local.plan import PROJECT
from local.stack import Stack
from shared.clients import firestore
from shared.clock import utc_now
from shared.edge.request import Actor
from shared.errors import DependencyUnavailable
from shared.users import administration, erasing, erasures, insights, inviting, settling
from shared.users.admin_schemas import Invitation
from shared.users.profiles import AVATARS
from tests import sessions
from tests.integration.edge.instance import instance
from tests.integration.users.people import PASSWORD, Office, good, set_password, some_address
from tests.polling import eventually
from tests.sessions import SUPER_ADMIN


def test_an_invited_user_sets_a_password_by_the_mail_and_logs_in(office: Office) -> None:
    user = office.invite(name=" Amal Perera ")
    assert (user["name"], user["isAdmin"], user["isSuperAdmin"]) == ("Amal Perera", True, False)
    assert (user["mail"], user["version"], user["last_sign_in_at"]) == ("queued", 1, None)
    assert user["avatar"] in AVATARS
    set_password(office.link(user["email"]))
    session = office.log_in(user["email"])
    assert session.user["uid"] == user["uid"]
    assert office.status_of(session) == 200
    known = office.read(user["uid"])
    assert known["last_sign_in_at"] is not None
    assert known["version"] == 1
    (mail,) = office.mails(user["email"])
    assert "Amal Perera" in mail["text"]


def test_neither_trail_nor_logs_nor_database_hold_the_link(office: Office, stack: Stack) -> None:
    user = office.invite()
    link = office.link(user["email"])
    code = httpx.URL(link).params["oobCode"]
    trail = office.http.get("/api/audit/logs", params={"resource": f"users/{user['uid']}"}).text
    assert "user.invited" in trail
    for text in (trail, stack.part("functions").log.read_text()):
        assert code not in text
        assert "oobCode" not in text
    with instance(stack.environment()):
        for name in ("users", "outbox", "dead_letters"):
            found = [each.to_dict() for each in firestore.client().collection(name).stream()]
            assert code not in json.dumps(found, default=str)


def test_whoever_never_signed_in_is_mailed_anew_and_others_are_refused(office: Office) -> None:
    user = office.invite()
    again = office.invite(email=user["email"].upper())
    assert again["uid"] == user["uid"]
    eventually(lambda: len(office.mails(user["email"])) == 2)
    set_password(office.link(user["email"]))
    office.log_in(user["email"])
    body = {"email": user["email"], "role": "admin"}
    assert office.http.post("/api/admin/create-user", json=body).status_code == 409


def test_an_administrator_of_before_gets_a_profile_by_an_invitation(office: Office) -> None:
    email = some_address()
    uid = create(office.auth_host, Account(email, {"admin": True}, "Old", PASSWORD))
    user = office.invite(email=email)
    assert (user["uid"], user["name"], user["isAdmin"]) == (uid, "Old", True)
    assert office.read(uid)["last_sign_in_at"] is None
    # The password stays theirs.
    office.log_in(email)
    assert office.put(office.read(uid), role="none").status_code == 200


def test_an_invitation_does_not_end_an_erasure(
    office: Office, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = office.join()
    assert office.put(member.user, role="none").status_code == 200
    by = Actor(office.me, "", "user.deleted", "", "")
    body = {"email": member.email, "role": "admin"}
    with instance(stack.environment()):
        monkeypatch.setattr(erasing, "close_now", lambda _: None)
        administration.remove(member.uid, None, by)
        refused = office.http.post("/api/admin/create-user", json=body)
        assert refused.status_code == 409
        assert "removal" in refused.json()["detail"]
        settling.settle(member.uid)
        done = erasures.read(member.uid)
        assert done is not None
        assert done.done_at is not None
    assert office.http.get(f"/api/admin/users/{member.uid}").status_code == 404
    # The address is free again.
    assert office.invite(email=member.email)["uid"] != member.uid


def test_an_invitation_asks_for_a_recount_and_stands_without(
    office: Office, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def refuse() -> None:
        asked.append("recount")
        raise DependencyUnavailable

    by = Actor(office.me, "", "user.invited", "", "")
    with instance(stack.environment()):
        monkeypatch.setattr(insights, "request_refresh", refuse)
        user = inviting.invite(Invitation(some_address(), "admin"), by)
    assert asked == ["recount"]
    assert office.read(user.uid)["isAdmin"]


def test_a_shoppers_account_is_adopted(office: Office) -> None:
    email = some_address()
    uid = create(office.auth_host, Account(email, {}, "Shopper", PASSWORD))
    user = office.invite(email=email)
    assert (user["uid"], user["name"]) == (uid, "Shopper")
    assert office.log_in(email).user["isAdmin"]


def test_who_signed_up_with_anothers_address_gets_nothing_of_it(office: Office) -> None:
    email = some_address()
    url = f"http://{office.auth_host}/identitytoolkit.googleapis.com/v1/accounts:signUp?key=local"
    httpx.post(url, json={"email": email, "password": PASSWORD}, trust_env=False).raise_for_status()
    office.invite(email=email)
    with pytest.raises(httpx.HTTPStatusError):
        office.token(email)
    set_password(office.link(email))
    assert office.status_of(office.log_in(email)) == 200


def test_the_list_is_paged_newest_first(office: Office) -> None:
    made = [office.invite()["uid"] for _ in range(3)]
    query: dict[str, Any] = {"limit": 2}
    found: list[str] = []
    while True:
        answer = office.http.get("/api/admin/users", params=query)
        page = good(answer)
        assert len(page["users"]) <= 2
        # One more where Redis has no copy of the session.
        assert int(answer.headers["X-Local-Firestore-Reads"]) <= 3
        found += [user["uid"] for user in page["users"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert found[:3] == made[::-1]
    assert office.me in found
    assert len(found) == len(set(found))
    foreign = office.http.get("/api/admin/users", params={"cursor": "x"})
    assert foreign.status_code == 400


def test_a_change_is_checked_against_the_version(office: Office) -> None:
    user = office.invite()
    etag = office.http.get(f"/api/admin/users/{user['uid']}").headers["ETag"]
    assert etag == '"1"'
    changed = office.put(user, name="New", etag=etag)
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    assert office.put(user, name="Newer", etag=etag).status_code == 412
    path = f"/api/admin/users/{user['uid']}"
    assert office.http.delete(path, headers={"If-Match": etag}).status_code == 412
    assert office.put(changed.json(), etag='"2"').json()["version"] == 2


def test_a_change_is_written_into_the_trail(office: Office) -> None:
    user = office.invite()
    office.put(user, role="super_admin", avatar="owl" if user["avatar"] != "owl" else "cat")
    query = {"resource": f"users/{user['uid']}", "limit": "1"}
    (entry,) = office.http.get("/api/audit/logs", params=query).json()["entries"]
    assert entry["action"] == "user.updated"
    assert entry["before"] == {"role": "admin", "avatar": user["avatar"]}
    assert entry["after"]["role"] == "super_admin"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"role": "admin"}, "email"),
        ({"email": "nobody", "role": "admin"}, "email"),
        ({"email": "a@b.test\nBcc: x@y.test", "role": "admin"}, "email"),
        ({"email": "a@b.test", "role": "none"}, "role"),
        ({"email": "a@b.test", "role": "admin", "avatar": "../secret"}, "avatar"),
        ({"email": "a@b.test", "role": "admin", "name": "x" * 101}, "name"),
        ({"email": "a@b.test", "role": "admin", "uid": "me"}, "uid"),
    ],
    ids=str,
)
def test_a_wrong_invitation_names_the_field(
    office: Office, body: dict[str, Any], field: str
) -> None:
    answer = office.http.post("/api/admin/create-user", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


def test_a_repeat_under_one_key_invites_once(office: Office) -> None:
    body = {"email": some_address(), "role": "admin"}
    headers = {"Idempotency-Key": body["email"]}
    one, two = (
        office.http.post("/api/admin/create-user", json=body, headers=headers) for _ in range(2)
    )
    assert one.json() == two.json()
    eventually(lambda: office.mails(body["email"]))
    office.stack.control.wait_until_idle()
    assert len(office.mails(body["email"])) == 1


def test_the_data_of_a_person_is_handed_out_and_then_erased(office: Office, stack: Stack) -> None:
    member = office.join()
    path = f"/api/admin/users/{member.uid}"
    with sessions.new_client(stack, member.session) as http:
        good(http.post("/api/notes", json={"title": "Diary", "body": "Dear"}), 201)
    with instance(stack.environment()):
        day = {"uid": member.uid, "date": "2026-11-25", "at": utc_now()}
        firestore.client().document(f"user_activity/{member.uid}-2026-11-25").set(day)

    data = good(office.http.get(f"{path}/data"))
    assert data["profile"]["email"] == member.email
    assert len(data["sessions"]) == 2
    assert member.session.sid not in json.dumps(data)
    assert [note["title"] for note in data["notes"]] == ["Diary"]
    assert "2026-11-25" in [day.get("date") for day in data["activity"]]
    assert {entry["action"] for entry in data["audit"]} == {"session.opened", "note.created"}
    assert data["incomplete"] == []
    trail = office.http.get("/api/audit/logs", params={"resource": f"users/{member.uid}"})
    assert trail.json()["entries"][0]["action"] == "user.exported"

    assert office.status_of(member.session) == 200
    token = office.token(member.email)
    assert office.http.delete(path).status_code == 204
    assert office.status_of(member.session) == 401
    assert sessions.send_login(stack, token).status_code == 401
    assert office.http.get(path).status_code == 404
    with pytest.raises(httpx.HTTPStatusError):
        office.token(member.email)

    stack.control.wait_until_idle()
    assert office.http.delete(path).status_code == 404
    with instance(stack.environment()):
        for name in ("sessions", "notes", "user_activity"):
            query = firestore.client().collection(name)
            assert [each for each in query.stream() if each.get("uid") == member.uid] == []
        kept = [
            json.dumps(each.to_dict(), default=str)
            for name in ("users", "user_erasures", "audit_logs", "outbox", "user_rosters")
            for each in firestore.client().collection(name).stream()
        ]
    assert not [text for text in kept if member.email in text or "Diary" in text]
    trail = office.http.get("/api/audit/logs", params={"actor": member.uid})
    entries = trail.json()["entries"]
    assert len(entries) == 3
    told = {(entry["actor_email"], entry["address"]) for entry in entries}
    assert told == {(f"{member.uid}@erased.invalid", "")}


def test_the_data_of_a_person_names_nobody_else(office: Office, stack: Stack) -> None:
    member, other = office.join("super_admin"), office.join()
    with sessions.new_client(stack, member.session) as http:
        body = {"email": some_address(), "role": "admin", "name": "Some Third"}
        third = good(http.post("/api/admin/create-user", json=body), 201)
        path = f"/api/admin/users/{other.uid}"
        change = {"role": "none", "disabled": False, "name": "A Fourth", "avatar": "owl"}
        good(http.put(path, json=change))
    assert office.put(member.user, name="Renamed Once").status_code == 200

    data = good(office.http.get(f"/api/admin/users/{member.uid}/data"))
    told = {(entry["resource"], entry["action"]): entry for entry in data["audit"]}
    assert told[f"users/{third['uid']}", "user.invited"]["after"]["role"] == "admin"
    assert told[f"users/{other.uid}", "user.updated"]["after"]["name"] == ""
    about = told[f"users/{member.uid}", "user.updated"]
    assert about["after"] == {"name": "Renamed Once"}
    assert (about["actor"], about["actor_email"], about["address"]) == (office.me, "", "")
    opened = told[f"users/{member.uid}", "session.opened"]
    assert opened["actor_email"] == member.email
    moments = [entry["at"] for entry in data["audit"]]
    assert moments == sorted(moments, reverse=True)
    text = json.dumps(data)
    for private in (body["email"], "Some Third", "A Fourth", other.email, SUPER_ADMIN.email):
        assert private not in text


def test_an_erased_invitation_leaves_no_name_in_the_trail(office: Office, stack: Stack) -> None:
    user = office.invite(name="Forget Me")
    assert office.http.delete(f"/api/admin/users/{user['uid']}").status_code == 204
    stack.control.wait_until_idle()
    trail = office.http.get("/api/audit/logs", params={"resource": f"users/{user['uid']}"})
    assert {entry["action"] for entry in trail.json()["entries"]} == {
        "user.invited",
        "user.deleted",
    }
    assert "Forget Me" not in trail.text
    assert user["email"] not in trail.text


def test_without_redis_a_removed_user_is_out_all_the_same(office: Office, valkey: Any) -> None:
    member = office.join()
    assert office.status_of(member.session) == 200
    valkey.kill()
    path = f"/api/admin/users/{member.uid}"
    assert office.http.delete(path).status_code == 503
    assert office.status_of(member.session) == 401
    valkey.start()
    # Again: it goes on with what was begun, or finds it done.
    assert office.http.delete(path).status_code in (204, 404)
    assert office.status_of(member.session) == 401


def test_a_profile_whose_account_is_gone_can_be_changed_and_removed(office: Office) -> None:
    user = office.invite()
    url = f"http://{office.auth_host}/identitytoolkit.googleapis.com/v1/projects/{PROJECT}/accounts"
    owner = {"Authorization": "Bearer owner"}
    gone = httpx.post(
        f"{url}:delete", json={"localId": user["uid"]}, headers=owner, trust_env=False
    )
    gone.raise_for_status()
    assert office.put(user, role="none").status_code == 200
    assert office.http.delete(f"/api/admin/users/{user['uid']}").status_code == 204


@pytest.mark.parametrize("what", ["", "/data"])
def test_who_is_not_there_is_not_found(office: Office, what: str) -> None:
    assert office.http.get(f"/api/admin/users/nobody{what}").status_code == 404
