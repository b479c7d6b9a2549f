"""Sessions from login to logout, with Redis there, slow, or away."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from local.accounts import Account, create, id_token
from local.plan import PROJECT
from local.stack import Stack
from local.tls import TLS
from shared.clients import firestore, redis
from shared.edge import session_records
from shared.edge import sessions as product
from shared.edge.request import Session
from shared.errors import Conflict, Unauthenticated
from tests import sessions
from tests.integration.edge.instance import instance, served
from tests.polling import eventually
from tests.sessions import ADMIN, SUPER_ADMIN, SignedIn, log_in, new_client, send_login

PROTECTED = "/api/products/stats"
OWNER = {"Authorization": "Bearer owner"}
AT_ONCE = 8


@pytest.fixture
def signed_in(stack: Stack) -> SignedIn:
    return log_in(stack)


@pytest.fixture
def valkey(stack: Stack) -> Iterator[Any]:
    """Redis itself, to be broken; whole again after the test."""
    part = stack.part("valkey")
    yield part
    part.resume()
    part.start()


def auth_host(stack: Stack) -> str:
    return stack.environment()["FIREBASE_AUTH_EMULATOR_HOST"]


def status_of(stack: Stack, cookie: str) -> int:
    with new_client(stack, cookie=cookie) as http:
        return http.get(PROTECTED).status_code


def token_with(stack: Stack, email: str = ADMIN.email, **changes: Any) -> str:
    """A token as the emulator makes it, changed: the emulator signs nothing."""
    payload = id_token(auth_host(stack), email).split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    claims = {name: value for name, value in (claims | changes).items() if value is not None}
    head = {"alg": "none", "typ": "JWT"}
    parts = [base64.urlsafe_b64encode(json.dumps(each).encode()) for each in (head, claims)]
    return ".".join(part.decode().rstrip("=") for part in parts) + "."


class TestLogin:
    def test_the_cookie_lives_an_hour_and_no_script_reads_it(self, stack: Stack) -> None:
        session = log_in(stack)
        (morsel,) = SimpleCookie(session.set_cookie).values()
        assert morsel.key == "__session"
        assert morsel["path"] == "/"
        assert morsel["httponly"]
        assert morsel["samesite"] == "Lax"
        assert 3590 <= int(morsel["max-age"]) <= 3600
        assert not morsel["secure"]
        assert not morsel["domain"]

    def test_the_cookie_is_secure_where_that_is_configured(self, stack: Stack) -> None:
        session = Session("s", "u", "e", admin=True, super_admin=False, expires_at=time.time() + 60)
        with instance(stack.environment(), COOKIE_SECURE="1", SESSION_SAMESITE="None"):
            set_cookie = product.cookie(session, time.time())
        assert "; Secure" in set_cookie
        assert set_cookie.endswith("SameSite=None")

    def test_the_answer_says_who_it_is(self, stack: Stack) -> None:
        admin, super_admin = log_in(stack), log_in(stack, SUPER_ADMIN)
        assert admin.user["email"] == ADMIN.email
        assert (admin.user["isAdmin"], admin.user["isSuperAdmin"]) == (True, False)
        assert (super_admin.user["isAdmin"], super_admin.user["isSuperAdmin"]) == (True, True)
        assert admin.csrf != super_admin.csrf

    def test_each_login_is_another_session(self, stack: Stack) -> None:
        one, other = log_in(stack), log_in(stack)
        assert one.sid != other.sid
        assert one.csrf != other.csrf

    def test_those_who_sign_in_at_once_all_enter(self, stack: Stack) -> None:
        account = Account("at-once@shopple.test", {"super_admin": True}, "At Once")
        uid = create(auth_host(stack), account)
        token = id_token(auth_host(stack), account.email)

        def statuses() -> set[int]:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                answers = pool.map(send_login, [stack] * AT_ONCE, [token] * AT_ONCE)
                return {answer.status_code for answer in answers}

        # The first login of an account writes its profile, and the roster of super admins.
        assert statuses() == {200}
        long_ago = datetime.now(UTC) - timedelta(days=1)
        with instance(stack.environment()):
            profile = firestore.client().collection("users").document(uid)
            profile.update({"last_sign_in_at": long_ago})
            # A later one writes down when it was.
            assert statuses() == {200}
            assert profile.get().get("last_sign_in_at") > long_ago

    def test_it_is_written_into_the_audit_trail(self, stack: Stack) -> None:
        session = log_in(stack)
        with new_client(stack, log_in(stack, SUPER_ADMIN)) as http:
            query = {"resource": f"users/{session.user['uid']}", "limit": "1"}
            (entry,) = http.get("/api/audit/logs", params=query).json()["entries"]
        assert entry["action"] == "session.opened"
        assert entry["actor_email"] == ADMIN.email
        assert entry["address"] == "127.0.0.1"

    @pytest.mark.parametrize("age", [301, 3000])
    def test_a_stale_token_is_refused(self, stack: Stack, age: int) -> None:
        answer = send_login(stack, token_with(stack, auth_time=int(time.time()) - age))
        assert answer.status_code == 401
        assert "too old" in answer.json()["detail"]
        assert "Set-Cookie" not in answer.headers

    def test_a_token_of_some_minutes_is_fresh(self, stack: Stack) -> None:
        answer = send_login(stack, token_with(stack, auth_time=int(time.time()) - 240))
        assert answer.status_code == 200

    def test_a_user_without_the_claim_is_no_admin(self, stack: Stack) -> None:
        create(auth_host(stack), Account("shopper@shopple.test", {}, "Shopper"))
        answer = send_login(stack, id_token(auth_host(stack), "shopper@shopple.test"))
        assert answer.status_code == 403
        assert "Set-Cookie" not in answer.headers

    def test_a_disabled_user_is_refused_with_an_older_token(self, stack: Stack) -> None:
        account = Account("disabled@shopple.test", {"admin": True}, "Disabled")
        uid = create(auth_host(stack), account)
        token = id_token(auth_host(stack), account.email)
        change_account(stack, {"localId": uid, "disableUser": True})
        answer = send_login(stack, token)
        assert answer.status_code == 403
        assert "disabled" in answer.json()["detail"]

    def test_a_deleted_or_revoked_users_token_is_refused(self, stack: Stack) -> None:
        account = Account("revoked@shopple.test", {"admin": True}, "Revoked")
        uid = create(auth_host(stack), account)
        token = id_token(auth_host(stack), account.email)
        change_account(stack, {"localId": uid, "validSince": str(int(time.time()) + 60)})
        assert send_login(stack, token).status_code == 401
        change_account(stack, {"localId": uid}, verb="delete")
        assert send_login(stack, token).status_code == 401

    @pytest.mark.parametrize(
        "token",
        ["x", "a.b.c", "..", "e30.e30.", "W10.W10.W10", "bnVsbA.bnVsbA.x", "\u00e9.\u00e9.\u00e9"],
    )
    def test_garbage_is_refused(self, stack: Stack, token: str) -> None:
        answer = send_login(stack, token)
        assert answer.status_code == 401, answer.text

    def test_a_token_of_another_project_is_refused(self, stack: Stack) -> None:
        for changes in (
            {"aud": "other"},
            {"iss": "https://securetoken.google.com/other"},
            {"sub": ""},
            {"sub": None},
        ):
            answer = send_login(stack, token_with(stack, **changes))
            assert answer.status_code == 401, changes

    @pytest.mark.parametrize("body", [{}, {"idToken": ""}, {"idToken": "x" * 8193}, {"idToken": 1}])
    def test_a_wrong_body_names_the_field(self, stack: Stack, body: dict[str, Any]) -> None:
        answer = httpx.post(
            f"{stack.plan.origin}/api/admin/login", json=body, trust_env=False, verify=TLS
        )
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "idToken"


class TestDescribing:
    def test_without_a_session_it_is_not_valid(self, stack: Stack) -> None:
        with new_client(stack) as http:
            answer = http.get("/api/admin/session")
        assert (answer.status_code, answer.json()) == (200, {"valid": False})

    def test_with_one_it_says_whose_and_until_when(self, stack: Stack, signed_in: SignedIn) -> None:
        with new_client(stack, signed_in) as http:
            told = http.get("/api/admin/session").json()
        assert told["valid"] is True
        assert told["user"] == signed_in.user
        assert told["csrfToken"] == signed_in.csrf
        assert told["expiresAt"].endswith("Z")

    def test_a_dead_cookie_is_not_valid(self, stack: Stack, signed_in: SignedIn) -> None:
        for cookie in (sessions.forged(stack, signed_in), sessions.expired(stack, signed_in), "x"):
            with new_client(stack, cookie=cookie) as http:
                assert http.get("/api/admin/session").json() == {"valid": False}

    def test_the_originals_cookie_is_read_at_the_functions_own_url(
        self, stack: Stack, signed_in: SignedIn
    ) -> None:
        def told(base: str, cookie: str) -> Any:
            url = f"{base}/api/admin/session"
            return httpx.get(url, headers={"Cookie": cookie}, trust_env=False, verify=TLS).json()[
                "valid"
            ]

        own = f"{stack.plan.functions_url}/session"
        assert told(own, f"session={signed_in.cookie}")
        assert told(own, f"session=x; __session={signed_in.cookie}")
        assert not told(own, f"session={signed_in.cookie}; __session=x")
        assert not told(stack.plan.origin, f"session={signed_in.cookie}")

    def test_a_session_of_somebody_else_cannot_be_composed(
        self, stack: Stack, signed_in: SignedIn
    ) -> None:
        """A record's id with another user's id, both known: only the key is missing, or not."""
        other = log_in(stack, SUPER_ADMIN)
        sid, end = other.sid, time.time() + 600
        mixed = sessions._signed(
            stack.environment()["SECRET_KEY"], [sid, signed_in.user["uid"], end]
        )
        assert status_of(stack, mixed) == 401


class TestRenewal:
    def test_a_young_session_keeps_its_cookie(self, stack: Stack, signed_in: SignedIn) -> None:
        with new_client(stack, signed_in) as http:
            assert "Set-Cookie" not in http.get(PROTECTED).headers

    def test_an_older_one_gets_another_hour(self, stack: Stack, signed_in: SignedIn) -> None:
        old = sessions.grown_old(stack, signed_in, seconds_left=54 * 60)
        with new_client(stack, cookie=old) as http:
            answer = http.get(PROTECTED)
        assert answer.status_code == 200
        (morsel,) = SimpleCookie(answer.headers["Set-Cookie"]).values()
        assert sessions.end_of(morsel.value) == pytest.approx(time.time() + 3600, abs=30)
        assert status_of(stack, morsel.value) == 200
        recorded = sessions.read_record(stack, signed_in)["expires_at"]["timestampValue"]
        assert recorded > time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 3500))

    def test_an_hour_after_the_last_use_it_is_over(self, stack: Stack, signed_in: SignedIn) -> None:
        over = sessions.grown_old(stack, signed_in, seconds_left=-1)
        assert status_of(stack, over) == 401

    def test_the_record_decides_where_the_cookie_says_more(
        self, stack: Stack, signed_in: SignedIn
    ) -> None:
        sessions.grown_old(stack, signed_in, seconds_left=-1)
        assert status_of(stack, signed_in.cookie) == 401

    def test_calls_that_renew_side_by_side_are_all_admitted(
        self, stack: Stack, signed_in: SignedIn
    ) -> None:
        old = sessions.grown_old(stack, signed_in, seconds_left=600)
        with ThreadPoolExecutor(8) as pool:
            seen = list(pool.map(lambda _: status_of(stack, old), range(16)))
        assert set(seen) == {200}


class TestLogout:
    def test_every_copy_of_the_cookie_is_dead_at_once(
        self, stack: Stack, signed_in: SignedIn
    ) -> None:
        # Once before, so that Redis holds its copy.
        assert status_of(stack, signed_in.cookie) == 200
        answer = sessions.log_out(stack, signed_in)
        assert answer.status_code == 200
        assert "Max-Age=0" in answer.headers["Set-Cookie"]
        assert status_of(stack, signed_in.cookie) == 401
        with new_client(stack, signed_in) as http:
            assert http.get("/api/admin/session").json() == {"valid": False}
        longer = sessions.resigned(stack, signed_in, expires_at=time.time() + 7200)
        assert status_of(stack, longer) == 401
        assert "timestampValue" in sessions.read_record(stack, signed_in)["revoked_at"]

    def test_another_session_of_the_same_user_lives_on(
        self, stack: Stack, signed_in: SignedIn
    ) -> None:
        other = log_in(stack)
        assert sessions.log_out(stack, signed_in).status_code == 200
        assert status_of(stack, other.cookie) == 200

    def test_a_second_logout_has_no_session(self, stack: Stack, signed_in: SignedIn) -> None:
        assert sessions.log_out(stack, signed_in).status_code == 200
        assert sessions.log_out(stack, signed_in).status_code == 401

    def test_a_slow_reader_cannot_bring_the_copy_back(
        self, stack: Stack, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It has read the live record; the logout happens; then it stores what it has read."""
        read, go_on = threading.Event(), threading.Event()
        real = session_records.read

        def slowly(sid: str, now_seconds: float) -> product.SessionCopy:
            copy = real(sid, now_seconds)
            read.set()
            assert go_on.wait(30)
            return copy

        with instance(stack.environment()):
            token = product.verify(signed_in.cookie, time.time())
            monkeypatch.setattr(session_records, "read", slowly)
            with ThreadPoolExecutor(1) as pool:
                reader = pool.submit(product.resolve, token, None, time.time())
                assert read.wait(30)
                assert sessions.log_out(stack, signed_in).status_code == 200
                go_on.set()
                assert reader.result(30).id == signed_in.sid
            kept = redis.must_call(lambda r: r.get(product.copy_key(signed_in.sid)))
        assert kept == product.REVOKED
        assert status_of(stack, signed_in.cookie) == 401

    def test_the_copy_is_short_lived_and_the_tombstone_outlives_any_request(
        self, stack: Stack, signed_in: SignedIn
    ) -> None:
        key = product.copy_key(signed_in.sid)
        with instance(stack.environment()):
            assert status_of(stack, signed_in.cookie) == 200
            lives = redis.must_call(lambda r: r.ttl(key))
            assert lives is not None
            assert 0 < lives <= 60
            sessions.log_out(stack, signed_in)
            stands = redis.must_call(lambda r: r.ttl(key))
            assert stands is not None
            assert 60 < stands <= 900

    @pytest.mark.parametrize("accident", ["kill", "pause"])
    def test_without_redis_it_says_so_and_is_revoked_all_the_same(
        self, stack: Stack, signed_in: SignedIn, valkey: Any, accident: str
    ) -> None:
        assert status_of(stack, signed_in.cookie) == 200
        getattr(valkey, accident)()
        answer = sessions.log_out(stack, signed_in)
        assert answer.status_code == 503
        assert "Retry-After" in answer.headers
        assert "timestampValue" in sessions.read_record(stack, signed_in)["revoked_at"]
        # The truth is asked, as there is no copy to be had.
        assert status_of(stack, signed_in.cookie) == 401

    def test_signing_out_again_once_redis_is_back_ends_the_copy(
        self, stack: Stack, signed_in: SignedIn, valkey: Any
    ) -> None:
        assert status_of(stack, signed_in.cookie) == 200
        valkey.pause()
        assert sessions.log_out(stack, signed_in).status_code == 503
        valkey.resume()
        eventually(
            lambda: sessions.log_out(stack, signed_in).status_code in (200, 401),
            timeout_seconds=10,
        )
        assert status_of(stack, signed_in.cookie) == 401

    def test_without_redis_sessions_work_from_firestore(
        self, stack: Stack, signed_in: SignedIn, valkey: Any
    ) -> None:
        valkey.kill()
        assert status_of(stack, signed_in.cookie) == 200
        assert status_of(stack, log_in(stack).cookie) == 200


class TestRevoking:
    def test_an_unknown_session_is_not_signed_in(self, stack: Stack) -> None:
        lost = Session("nowhere", "u", "e", admin=True, super_admin=False, expires_at=0.0)
        with instance(stack.environment()):
            with pytest.raises(Unauthenticated):
                product.revoke(lost)
            with pytest.raises(Unauthenticated):
                session_records.extend("nowhere", time.time())
            with pytest.raises(Unauthenticated):
                session_records.read("nowhere", time.time())

    def test_a_busy_record_ends_no_session(self, stack: Stack, signed_in: SignedIn) -> None:
        """Firestore aborts a write that waits too long for another: that is no logout."""
        now = time.time()
        with instance(stack.environment()):
            session = product.resolve(product.verify(signed_in.cookie, now), None, now)
            holder = firestore.client().transaction()
            holder._begin()
            record = firestore.client().document(f"sessions/{session.id}")
            record.get(transaction=holder)
            assert product.renewed(replace(session, expires_at=now + 60), now) is None
            with pytest.raises(Conflict):
                session_records.revoke(session.id)
            holder._rollback()
        assert status_of(stack, signed_in.cookie) == 200


def change_account(stack: Stack, change: dict[str, Any], verb: str = "update") -> None:
    url = f"http://{auth_host(stack)}/identitytoolkit.googleapis.com/v1/projects/{PROJECT}/accounts"
    httpx.post(
        f"{url}:{verb}", json=change, headers=OWNER, trust_env=False, verify=TLS
    ).raise_for_status()


def test_a_toy_function_sees_no_session_in_a_forged_cookie(stack: Stack) -> None:
    with served(stack, "listing") as http:
        answer = http.get("/listing", headers={"Cookie": "__session=forged"})
        assert answer.status_code == 401
